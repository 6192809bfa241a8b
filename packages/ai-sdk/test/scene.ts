import {
  type HaltWarning,
  priceOf,
  type Quota,
  QuotaManager,
  RateLimiter,
  type RateLimiterOptions,
} from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { wrapLanguageModel } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'
import { budget, type BudgetOptions } from '../src/index.ts'
import type { Model, ReportedUsage, StreamPart } from '../src/model.ts'

export const TEAM = { user: 'team' }
export const day: Quota = {
  name: 'day',
  limit: 1000,
  period: 'daily',
  anchor: aMinuteAgo(),
  status: 402,
  unit: 'usd-micro',
}

/** A unit for a token of the input, and two for one of the output. */
export const price = priceOf({ input: 1, output: 2 })

export type Generated = Awaited<ReturnType<Model['doGenerate']>>

export const usage = (input?: number, output?: number, cacheRead?: number): ReportedUsage => ({
  inputTokens: { total: input, noCache: undefined, cacheRead, cacheWrite: undefined },
  outputTokens: { total: output, text: undefined, reasoning: undefined },
})

export const generated = (text: string, reported: ReportedUsage): Generated => ({
  content: text === '' ? [] : [{ type: 'text', text }],
  finishReason: { unified: 'stop', raw: undefined },
  usage: reported,
  warnings: [],
})

/** A model that answers at once. */
export const answering = (text: string, reported: ReportedUsage): MockLanguageModelV3 =>
  new MockLanguageModelV3({ doGenerate: generated(text, reported) })

/** The parts of a stream of these texts. */
export const parts = (texts: readonly string[], reported: ReportedUsage): StreamPart[] => [
  { type: 'stream-start', warnings: [] },
  { type: 'text-start', id: '1' },
  ...texts.map(delta => ({ type: 'text-delta' as const, id: '1', delta })),
  { type: 'text-end', id: '1' },
  { type: 'finish', finishReason: { unified: 'stop', raw: undefined }, usage: reported },
]

/** A model that streams. `made` counts the parts that were asked of it, and `signal` is what may stop it. */
export function streaming(all: readonly (StreamPart | Error)[], hangs = false) {
  const seen: { made: number; isCancelled: boolean; signal: AbortSignal | undefined } = {
    made: 0,
    isCancelled: false,
    signal: undefined,
  }
  const model = new MockLanguageModelV3({
    async doStream({ abortSignal }) {
      seen.signal = abortSignal
      let i = 0
      const stream = new ReadableStream<StreamPart>(
        {
          start(controller) {
            abortSignal?.addEventListener('abort', () => {
              if (!seen.isCancelled) controller.error(abortSignal.reason)
            })
          },
          async pull(controller) {
            const part = all[i++]
            if (part instanceof Error) throw part
            if (part === undefined) return hangs ? new Promise(() => {}) : controller.close()
            seen.made++
            controller.enqueue(part)
          },
          cancel: () => void (seen.isCancelled = true),
        },
        { highWaterMark: 0 },
      )
      return { stream }
    },
  })
  return { model, seen }
}

/** Reads a stream to its end, or to its error. */
export async function read<T>(stream: ReadableStream<T>): Promise<{ parts: T[]; error: unknown }> {
  const all: T[] = []
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { parts: all, error: undefined }
      all.push(value)
    }
  } catch (error) {
    return { parts: all, error }
  }
}

/** A budget of 1000 units, a letter of the output being a token and the input being ten. */
export function scene(options: Partial<BudgetOptions> = {}, more: Partial<RateLimiterOptions<unknown>> = {}) {
  const store = more.store ?? new InMemoryStore()
  const warnings: HaltWarning[] = []
  const warn = (warning: HaltWarning): void => void warnings.push(warning)
  const limiter = new RateLimiter({ store, policy: day, warn, ...more })
  const middleware = budget({
    limiter,
    identity: TEAM,
    price,
    most: 100,
    ahead: 0,
    input: () => 10,
    tokens: text => text.length,
    ...options,
  })
  return {
    limiter,
    warnings,
    wrap: (model: Model): Model => wrapLanguageModel({ model, middleware }),
    /** The units that are used and held. */
    async state(quota: Quota = day): Promise<[used: number, held: number]> {
      const { used, held } = (await new QuotaManager(store).checkQuota('team', quota)).quota
      return [used, held]
    },
  }
}
