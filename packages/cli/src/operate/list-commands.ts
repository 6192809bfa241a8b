import type { ControlAct, ControlEntry, PolicyNumbers } from '@halt/control'

import { type Command, ExitCode, valueOf } from '../command/command.ts'
import { wholeOf } from '../command/parse.ts'
import { jsonLine, print, printable } from '../io.ts'
import { entriesIn } from './control-problem.ts'
import { controlFlags, withControl } from './control.ts'

const json = { json: { help: 'Prints JSON.' } }

/** `halt entries` and `halt history`. */
export const listCommands: readonly Command[] = [
  {
    name: 'entries',
    summary: 'Lists what holds now: blocks, permissions and changed numbers.',
    usage: '',
    example: 'entries --redis redis://localhost:6379',
    takes: [0, 0],
    flags: { ...json, ...controlFlags },
    run: (call, io) =>
      withControl(call, io, async control => {
        const entries = await entriesIn(control)
        const lines = entries.map(({ kind, ...entry }) => lineOf(kind, entry))
        if (lines.length === 0) lines.push('Operators have set nothing.')
        await print(io, call.flags['json'] === true ? [jsonLine(entries)] : lines)
        return ExitCode.DONE
      }),
  },
  {
    name: 'history',
    summary: 'Lists the last acts of operators, the latest first.',
    usage: '',
    example: 'history --most 50 --redis redis://localhost:6379',
    takes: [0, 0],
    flags: { most: { value: 'n', help: 'How many. Default 20, at most 1000.' }, ...json, ...controlFlags },
    run: (call, io) =>
      withControl(call, io, async control => {
        const most = wholeOf('most', valueOf(call, 'most'), 1, 1000) ?? 20
        const acts = (await control.history()).slice(0, most)
        const lines = acts.map(({ act, ...facts }) => lineOf(act, facts))
        if (lines.length === 0) lines.push('Nobody has acted.')
        await print(io, call.flags['json'] === true ? [jsonLine(acts)] : lines)
        return ExitCode.DONE
      }),
  },
]

/** One entry or act in one line. */
export function lineOf(act: string, facts: Omit<ControlEntry, 'kind'> | Omit<ControlAct, 'act'>): string {
  const { at, target, policy, numbers, until, reason, by } = facts
  const parts = [
    instantOf(at),
    act,
    target,
    policy,
    numbers && numbersInWords(numbers),
    'units' in facts && facts.units !== undefined ? amountOf(act, facts.units) : undefined,
    until === undefined ? undefined : `until ${instantOf(until)}`,
    by === undefined ? undefined : `by ${by}`,
    reason === undefined ? undefined : `(${reason})`,
  ]
  return printable(parts.filter(part => part !== undefined).join('  '))
}

function amountOf(act: string, units: number): string {
  const noun = act === 'reset' ? 'counter' : 'unit'
  return `${units} ${noun}${units === 1 ? '' : 's'}`
}

/** Numbers of a policy: `limit=50 window=1m`. */
export function numbersInWords(numbers: PolicyNumbers): string {
  return Object.entries(numbers)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

/** An instant to the second. @param ms Unix milliseconds */
export function instantOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
