import { stat, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { type AnyPolicy, HaltError } from '@halt/core'

import { type Call, COMMAND, type Command, ExitCode, valueOf } from '../command/command.ts'
import { commandError, numberOf, wholeOf } from '../command/parse.ts'
import { type CliIo, coloursOf, jsonLine, print } from '../io.ts'
import { FORMATS, type LogFormat, parseFields } from '../log/formats.ts'
import { type LimiterSettings, loadPolicyModule } from '../policy-module.ts'
import { Progress } from '../progress.ts'
import { FAR_MS, FarDates } from './far-dates.ts'
import { htmlReport } from './html-report.ts'
import { limitsAround, narrow } from './limits.ts'
import { readLogs } from './read-log.ts'
import { Replay } from './replay.ts'
import { type PolicyResult, type ReplayResult, resultOf } from './result.ts'
import { textReport } from './text-report.ts'

/** `halt replay`: decides the requests of a log by limits. */
export const replayCommand: Command = {
  name: 'replay',
  summary: 'Decides the requests of an access log by limits: who would have been refused?',
  usage: '<access.log …> --policy <limits.mjs>',
  takes: [1, 1000],
  flags: {
    policy: {
      value: 'module',
      help: 'The limits: a module that exports a policy, several, or options of a RateLimiter.',
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
    'The clock is that of the log, so the same log and limits always give the same result.',
    'Exit code 1 says that no limit was found for --below, or that dates of the log are wrong by more than a day.',
  ],
  run: runReplay,
}

/** The longest search for the smallest limit. Each pass narrows it at least fourfold. */
const MOST_PASSES = 20

async function runReplay(call: Call, io: CliIo): Promise<number> {
  const below = valueOf(call, 'below')
  const share = below === undefined ? undefined : numberOf('below', below, 0, 100)
  const settings = await loadPolicyModule(required(call), io.cwd)
  const limits = givenLimits(valueOf(call, 'limits'))
  const first = await pass(call, io, settings, limits, '')
  const result = share === undefined ? first : await searched(call, io, settings, first, share / 100)
  const html = valueOf(call, 'html')
  if (html !== undefined) await writeReport(resolve(io.cwd, html), htmlReport(result, io, share))
  await print(
    io,
    call.flags['json'] === true ? [jsonLine(result)] : textReport(result, coloursOf(io, io.stdout), share),
  )
  const isMissed =
    share !== undefined &&
    result.policies.some(({ limits: all, smallest }) => all.length > 0 && smallest === undefined)
  const { farAhead, mostBehindMs } = result.log
  return isMissed || farAhead > 0 || mostBehindMs > FAR_MS ? ExitCode.FOUND : ExitCode.DONE
}

type LimitsFor = (policy: AnyPolicy) => readonly number[]

async function pass(
  call: Call,
  io: CliIo,
  settings: LimiterSettings,
  limitsFor: LimitsFor,
  label: string,
): Promise<ReplayResult> {
  const mostKeys = wholeOf('most-keys', valueOf(call, 'most-keys'), 1, 16_000_000) ?? 1_000_000
  const format = formatOf(valueOf(call, 'format'))
  const given = valueOf(call, 'fields')
  const fields = given === undefined ? undefined : parseFields(given)
  const logs = call.positionals.map(name => ({ name, from: sourceOf(name, io) }))
  const replay = new Replay({ settings, mostKeys, limitsFor })
  const progress = new Progress(io, label, await totalOf(call, io))
  try {
    const onProgress = progress.update.bind(progress)
    const dates = new FarDates(request => replay.add(request))
    const log = await readLogs(logs, { format, fields, onProgress }, request => dates.add(request))
    await dates.end()
    return resultOf(replay, log, dates.skipped)
  } finally {
    progress.end()
  }
}

/** Repeats the replay with other limits until the smallest that suffices is known for every policy. */
async function searched(
  call: Call,
  io: CliIo,
  settings: LimiterSettings,
  first: ReplayResult,
  share: number,
): Promise<ReplayResult> {
  const policies: PolicyResult[] = first.policies.map(each => ({ ...each }))
  // Standard input can be read only once.
  const passes = call.positionals.includes('-') ? 0 : MOST_PASSES
  for (let number = 1; ; number++) {
    const searches = policies.map(({ limits, keys }) =>
      limits.length === 0 ? { found: undefined, next: [] } : narrow(limits, keys, share),
    )
    for (const [i, { found }] of searches.entries()) policies[i]!.smallest = found
    if (number > passes || searches.every(({ next }) => next.length === 0)) return { ...first, policies }
    const limitsFor: LimitsFor = ({ name }) =>
      searches[policies.findIndex(({ policy }) => policy === name)]?.next ?? []
    const more = await pass(call, io, settings, limitsFor, `pass ${number + 1} `)
    for (const [i, { limits }] of more.policies.entries()) {
      const known = policies[i]!
      const all = [...known.limits, ...limits].sort((a, b) => a.limit - b.limit)
      policies[i] = { ...known, limits: all }
    }
  }
}

function required(call: Call): string {
  const policy = valueOf(call, 'policy')
  if (policy !== undefined) return policy
  throw commandError(
    'halt replay got no --policy.',
    `Write: ${COMMAND} replay access.log --policy limits.mjs`,
  )
}

function givenLimits(text: string | undefined): LimitsFor {
  if (text === undefined) return limitsAround
  if (text === 'none') return () => []
  const limits = [...new Set(text.split(',').map(part => wholeOf('limits', part, 1, 2 ** 31) as number))]
  if (limits.length > 32) throw commandError('--limits has more than 32 numbers.', 'Give at most 32.')
  return () => limits.toSorted((a, b) => a - b)
}

function formatOf(text: string | undefined): LogFormat | undefined {
  if (text === undefined || (FORMATS as readonly string[]).includes(text))
    return text as LogFormat | undefined
  throw commandError(`--format is ${JSON.stringify(text)}.`, `Choose one of ${FORMATS.join(', ')}.`)
}

function sourceOf(name: string, { stdin, cwd }: CliIo): string | Readable {
  return name === '-' ? stdin : resolve(cwd, name)
}

async function totalOf({ positionals }: Call, { cwd }: CliIo): Promise<number | undefined> {
  const sizes = positionals.map(async name =>
    name === '-' ? Number.NaN : (await stat(resolve(cwd, name))).size,
  )
  // A file that is missing is reported when it is read.
  const total = (await Promise.all(sizes).catch(() => [Number.NaN])).reduce((sum, size) => sum + size, 0)
  return Number.isNaN(total) ? undefined : total
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
