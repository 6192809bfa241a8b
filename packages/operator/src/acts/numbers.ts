import type { ControlEntry, PolicyNumbers } from '@halt/control'

import { badRequest } from '../answer.ts'
import { why } from './access.ts'
import { type Act, type Acting, inWords, scopeOfEnd, undoOf } from './act.ts'
import { spanOf } from './act-call.ts'

/** The acts that change the numbers of policies. Counters are kept. */
export const numberActs: Readonly<Record<'override' | 'change' | 'revert', Act>> = {
  override: {
    says: acting =>
      `${acting.policy()} has ${inWords(numbersOf(acting))} for ${acting.who}, ${spanOf(acting.call)}.`,
    async perform(acting) {
      const { control, who, call, options } = acting
      const entry = await control.override(acting.identity(), acting.policy(), numbersOf(acting), options)
      const says = `${acting.policy()} has ${inWords(numbersOf(acting))} for ${who}, ${spanOf(call)}.`
      return { says, undo: undoOf(before(acting), entry, acting, 'revert'), scope: entry.scope }
    },
  },
  change: {
    says: acting =>
      `${acting.policy()} has ${inWords(numbersOf(acting))} for everybody, in ${acting.away === undefined ? 'every process' : 'this process alone'}, ${spanOf(acting.call)}.`,
    async perform(acting) {
      const { control, call, options } = acting
      const entry = await control.change(acting.policy(), numbersOf(acting), options)
      const says = `${acting.policy()} has ${inWords(numbersOf(acting))} for everybody, ${spanOf(call)}.`
      return { says, undo: undoOf(before(acting), entry, acting, 'revert'), scope: entry.scope }
    },
  },
  revert: {
    says: acting =>
      `The other numbers of ${acting.policy()} for ${whose(acting)} are taken back.${restOf(acting)}`,
    async perform(acting) {
      const { call, control } = acting
      const identity = call.whom === undefined ? {} : { identity: acting.identity() }
      const entry = before(acting)
      const found = await control.revert(acting.policy(), { ...identity, ...why(acting) })
      return {
        says: found
          ? `The other numbers of ${acting.policy()} for ${whose(acting)} are taken back.${restOf(acting)}`
          : `${acting.policy()} had no other numbers for ${whose(acting)}.`,
        undo: found && entry !== undefined ? undoOf(entry, undefined, acting, entry.kind) : undefined,
        scope: found ? scopeOfEnd(control) : undefined,
      }
    },
  },
}

/** The entry with numbers for the same policy and client, before the act. */
function before(acting: Acting): ControlEntry | undefined {
  const { entries, call, target } = acting
  const kind = call.whom === undefined ? 'change' : 'override'
  const isSame = (entry: ControlEntry): boolean => kind === 'change' || entry.target === target
  return entries.find(entry => entry.kind === kind && entry.policy === acting.policy() && isSame(entry))
}

/** Numbers of the policy that hold on after others are taken back, in a sentence. */
function restOf({ call, entries }: Acting): string {
  const ofPolicy = entries.filter(entry => entry.policy === call.policy)
  if (call.whom !== undefined) {
    const change = ofPolicy.find(({ kind }) => kind === 'change')
    return change === undefined ? '' : ` It has ${inWords(change.numbers)} for everybody.`
  }
  const own = ofPolicy.filter(({ kind }) => kind === 'override').length
  if (own === 0) return ''
  return own === 1 ? ' One client keeps numbers of its own.' : ` ${own} clients keep numbers of their own.`
}

function numbersOf({ call: { numbers } }: Acting): PolicyNumbers {
  if (numbers !== undefined) return numbers
  throw badRequest('The act changes no number.', 'Give numbers: { limit: 5000 }.')
}

function whose({ call, who }: Acting): string {
  return call.whom === undefined ? 'everybody' : who
}
