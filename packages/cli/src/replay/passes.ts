import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Policy } from '@halt/core'

import type { CliIo } from '../io.ts'
import type { Plan } from '../limits/limits-file.ts'
import type { LogFormat } from '../log/formats.ts'
import type { JsonField } from '../log/json-fields.ts'
import type { LoggedRequest } from '../log/logged-request.ts'
import { Progress } from '../progress.ts'
import { FarDates } from './far-dates.ts'
import { narrow } from './limits.ts'
import { readLogs } from './read-log.ts'
import { Replay } from './replay.ts'
import { type PolicyResult, type ReplayResult, resultOf } from './result.ts'

/** Returns the limits that are tried for a policy, each alone. */
export type LimitsFor = (policy: Policy) => readonly number[]

/** The settings that every pass over the log reads. */
export interface PassSettings {
  readonly io: CliIo
  /** The files, or `-` for standard input. */
  readonly logs: readonly string[]
  readonly mostKeys: number
  readonly format: LogFormat | undefined
  readonly fields: Partial<Record<JsonField, string>> | undefined
}

/** Passes over a log, each of which decides its requests under one or several plans. */
export class Passes {
  readonly #settings: PassSettings

  constructor(settings: PassSettings) {
    this.#settings = settings
  }

  /** Whether the log can be read again. Standard input cannot. */
  get isRepeatable(): boolean {
    return !this.#settings.logs.includes('-')
  }

  /** Decides every request under each of the plans. @param label stands before the progress */
  async run(plans: readonly Plan[], limitsFor: LimitsFor, label: string): Promise<ReplayResult[]> {
    const { io, logs, mostKeys, format, fields } = this.#settings
    const replays = plans.map(({ settings }) => new Replay({ settings, mostKeys, limitsFor }))
    const progress = new Progress(io, label, await totalOf(logs, io))
    const dates = new FarDates(request => addTo(replays, request, 0))
    try {
      const onProgress = progress.update.bind(progress)
      const sources = logs.map(name => ({ name, from: sourceOf(name, io) }))
      const log = await readLogs(sources, { format, fields, onProgress }, request => dates.add(request))
      await dates.end()
      return replays.map(replay => resultOf(replay, log, dates.skipped))
    } finally {
      progress.end()
    }
  }
}

/** Adds a request to each replay. Synchronous unless a function of a policy is not. */
function addTo(replays: readonly Replay[], request: LoggedRequest, from: number): void | Promise<void> {
  for (let i = from; i < replays.length; i++) {
    const waiting = (replays[i] as Replay).add(request)
    if (waiting !== undefined) return waiting.then(() => addTo(replays, request, i + 1))
  }
}

/** The longest search for the smallest limit. Each pass narrows it at least fourfold. */
const MOST_PASSES = 20

/** Repeats the replay of a plan with other limits until the smallest that suffices is known for every policy. */
export async function searched(
  passes: Passes,
  plan: Plan,
  first: ReplayResult,
  share: number,
): Promise<ReplayResult> {
  const policies: PolicyResult[] = first.policies.map(each => ({ ...each }))
  const most = passes.isRepeatable ? MOST_PASSES : 0
  for (let number = 1; ; number++) {
    const searches = policies.map(({ limits, keys }) =>
      limits.length === 0 ? { found: undefined, next: [] } : narrow(limits, keys, share),
    )
    for (const [i, { found }] of searches.entries()) policies[i]!.smallest = found
    if (number > most || searches.every(({ next }) => next.length === 0)) return { ...first, policies }
    const limitsFor: LimitsFor = ({ name }) =>
      searches[policies.findIndex(({ policy }) => policy === name)]?.next ?? []
    const [more] = await passes.run([plan], limitsFor, `pass ${number + 1} `)
    for (const [i, { limits }] of (more?.policies ?? []).entries()) {
      const known = policies[i]!
      const all = [...known.limits, ...limits].sort((a, b) => a.limit - b.limit)
      policies[i] = { ...known, limits: all }
    }
  }
}

function sourceOf(name: string, { stdin, cwd }: CliIo): string | Readable {
  return name === '-' ? stdin : resolve(cwd, name)
}

async function totalOf(logs: readonly string[], { cwd }: CliIo): Promise<number | undefined> {
  const sizes = logs.map(async name => (name === '-' ? Number.NaN : (await stat(resolve(cwd, name))).size))
  // A file that is missing is reported when it is read.
  const total = (await Promise.all(sizes).catch(() => [Number.NaN])).reduce((sum, size) => sum + size, 0)
  return Number.isNaN(total) ? undefined : total
}
