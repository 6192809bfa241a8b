import { writeFile } from 'node:fs/promises'
import { join, parse, resolve } from 'node:path'
import { HaltError } from '@halt/core'
import { MOST_UNITS } from '@halt/core/store'

import { type Call, COMMAND, type Command, ExitCode, valueOf } from '../command/command.ts'
import { commandError, numberOf, wholeOf } from '../command/parse.ts'
import { type CliIo, coloursOf, jsonLine, print, printable } from '../io.ts'
import { FORMATS, type LogFormat, parseFields } from '../log/formats.ts'
import { loadLimits } from '../limits/limits-file.ts'
import { FAR_MS } from './far-dates.ts'
import { htmlReport } from './html-report.ts'
import { limitsAround } from './limits.ts'
import { type LimitsFor, Passes, type PassSettings, searched } from './passes.ts'
import type { ReplayResult } from './result.ts'
import { textReport } from './text-report.ts'

/** `halt replay`: decides the requests of a log by limits. */
export const replayCommand: Command = {
  name: 'replay',
  summary: 'Decides the requests of an access log by limits: who would have been refused?',
  usage: '<access.log …> --policy <limits.ts>',
  example: 'replay access.log --policy limits.ts --below 1',
  takes: [1, 1000],
  flags: {
    policy: {
      value: 'module',
      help: 'The limits: a module of JavaScript or TypeScript that exports policies or options of a RateLimiter, and perhaps plans.',
    },
    format: { value: 'name', help: `${FORMATS.join(', ')}. Default: found by the first lines.` },
    fields: {
      value: 'name=path,…',
      help: 'Where a JSON line has its fields: time, ip, method, url, user, agent, forwarded.',
    },
    limits: {
      value: 'n,…',
      help: 'The limits to compare, at most 32. Default: ¼, ½, 1, 2 and 4 times the present one; "none".',
    },
    below: {
      value: 'percent',
      help: 'Finds the smallest limit that refuses fewer of the keys. Reads the log several times.',
    },
    'most-keys': { value: 'n', help: 'The most keys and counters in memory. Default 1000000.' },
    json: { help: 'Prints the result as JSON.' },
    html: { value: 'file', help: 'Writes a report with plots to a file, too.' },
  },
  more: [
    'A file may be packed by gzip. - is standard input. Give rotated files from the oldest to the newest.',
    'With plans in the limits file, each is replayed apart, as if everybody had it, because a log does not tell the plan.',
    'The clock is that of the log, so the same log and limits always give the same result.',
    'Exit code 1 says that no limit was found for --below, or that dates of the log are wrong by more than a day.',
  ],
  run: runReplay,
}

async function runReplay(call: Call, io: CliIo): Promise<number> {
  const below = valueOf(call, 'below')
  const share = below === undefined ? undefined : numberOf('below', below, 0, 100)
  const { plans } = await loadLimits(required(call), io.cwd)
  const passes = new Passes(readingOf(call, io))
  const first = await passes.run(plans, givenLimits(valueOf(call, 'limits')), '')
  const results: PlanResult[] = []
  for (const [i, plan] of plans.entries()) {
    const found = first[i] as ReplayResult
    const result = share === undefined ? found : await searched(passes, plan, found, share / 100)
    results.push({ plan: plan.name, ...result })
  }
  const html = valueOf(call, 'html')
  if (html !== undefined)
    for (const result of results)
      await writeReport(resolve(io.cwd, fileOf(html, result.plan)), htmlReport(result, io, share))
  await print(io, call.flags['json'] === true ? [jsonLine(dataOf(results))] : textOf(results, io, share))
  return results.some(result => isWrong(result, share)) ? ExitCode.FOUND : ExitCode.DONE
}

/** A result, and the plan that all requests were decided under; undefined if there are no plans. */
type PlanResult = ReplayResult & { readonly plan: string | undefined }

function isWrong(
  { policies, log: { farAhead, mostBehindMs } }: ReplayResult,
  share: number | undefined,
): boolean {
  const isMissed =
    share !== undefined &&
    policies.some(({ limits, smallest }) => limits.length > 0 && smallest === undefined)
  return isMissed || farAhead > 0 || mostBehindMs > FAR_MS
}

function dataOf(results: readonly PlanResult[]): object {
  const [only] = results
  if (only?.plan === undefined) return { ...only, plan: undefined }
  return { plans: results }
}

/** The report of each plan. A log does not tell who has which plan, so each is decided as if all had it. */
function textOf(results: readonly PlanResult[], io: CliIo, share: number | undefined): string[] {
  const colours = coloursOf(io, io.stdout)
  return results.flatMap((result, i) => [
    ...(result.plan === undefined
      ? []
      : [...(i === 0 ? [] : ['']), colours.bold(`Plan ${printable(result.plan)}, if all had it`)]),
    ...textReport(result, colours, share),
  ])
}

/** `report.html` becomes `report.pro.html` for a plan. */
function fileOf(file: string, plan: string | undefined): string {
  if (plan === undefined) return file
  const { dir, name, ext } = parse(file)
  return join(dir, `${name}.${plan.replaceAll(/[^\w-]/g, '_')}${ext}`)
}

function readingOf(call: Call, io: CliIo): PassSettings {
  const given = valueOf(call, 'fields')
  return {
    io,
    logs: call.positionals,
    mostKeys: wholeOf('most-keys', valueOf(call, 'most-keys'), 1, 16_000_000) ?? 1_000_000,
    format: formatOf(valueOf(call, 'format')),
    fields: given === undefined ? undefined : parseFields(given),
  }
}

function required(call: Call): string {
  const policy = valueOf(call, 'policy')
  if (policy !== undefined) return policy
  throw commandError('halt replay got no --policy.', `Write: ${COMMAND} replay access.log --policy limits.ts`)
}

function givenLimits(text: string | undefined): LimitsFor {
  if (text === undefined) return limitsAround
  if (text === 'none') return () => []
  const limits = [...new Set(text.split(',').map(part => wholeOf('limits', part, 1, MOST_UNITS) as number))]
  if (limits.length > 32) throw commandError('--limits has more than 32 numbers.', 'Give at most 32.')
  return () => limits.toSorted((a, b) => a - b)
}

function formatOf(text: string | undefined): LogFormat | undefined {
  if (text === undefined || (FORMATS as readonly string[]).includes(text))
    return text as LogFormat | undefined
  throw commandError(`--format is ${JSON.stringify(text)}.`, `Choose one of ${FORMATS.join(', ')}.`)
}

async function writeReport(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (error) {
    throw new HaltError(
      'HALT_E_LOG',
      `${file} cannot be written: ${String(error)}.`,
      'Give --html a file in a folder that exists.',
    )
  }
}
