import { fromCaller } from '@halt/core'
import type { LanguageModelMiddleware } from 'ai'

import { Account } from './account.ts'
import { forgotten } from './forgotten.ts'
import type { CallParams } from './model.ts'
import { type BudgetOptions, readOptions } from './options.ts'
import { paidStream } from './paid-stream.ts'
import { withUsage } from './usage.ts'

/**
 * Makes a middleware of the AI SDK that keeps the calls of a model within budgets. A call reserves its estimated cost, a stream pays as
 * its parts arrive, and the usage that the model reports settles the call.
 *
 * A call that no budget has room for throws `LimitedError`, and a stream whose budget ends meanwhile ends with it: `error.decision`
 * says which budget it is. A call that the model fails before it generates anything costs nothing; one that its caller aborts costs the
 * input and what was generated. Each step of an agent is a call.
 *
 * @throws HaltError `HALT_E_LIMITER`, `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`, `HALT_E_USAGE`, `HALT_E_COST`
 * @example
 * const price = priceOf({ input: 3, cached: 0.3, output: 15 })
 * const middleware = budget({ limiter, identity: { user: 'team_a' }, price, most: 4000 })
 * const { text } = await generateText({ model: wrapLanguageModel({ model, middleware }), prompt })
 */
export function budget<R = unknown>(options: BudgetOptions<R>): LanguageModelMiddleware {
  const settings = fromCaller(budget, () => readOptions(options))
  const { most } = settings
  return {
    specificationVersion: 'v3',
    async transformParams({ params }) {
      return { ...params, maxOutputTokens: Math.min(params.maxOutputTokens ?? most, most) }
    },
    async wrapGenerate({ model, params }) {
      const { abortSignal } = params
      const account = await Account.open(settings, model, params, 0)
      try {
        const result = await model.doGenerate(withSignals(params, [abortSignal, account.signal]))
        await account.settle(result.usage, result.content.length > 0)
        return withUsage(result)
      } catch (error) {
        const hasLeft = abortSignal?.aborted === true || account.signal.aborted
        await (hasLeft ? account.leave() : account.fail())
        throw account.failure ?? error
      }
    },
    async wrapStream({ model, params }) {
      const { abortSignal } = params
      const account = await Account.open(settings, model, params, settings.ahead)
      const stopped = new AbortController()
      // A reader that has left may read no more.
      const leave = (): void => void account.leave()
      const over = (): void => {
        abortSignal?.removeEventListener('abort', leave)
        forgotten?.unregister(stopped)
      }
      const stop = (reason: unknown): void => {
        over()
        stopped.abort(reason)
      }
      abortSignal?.addEventListener('abort', leave)
      try {
        const signals = [abortSignal, account.signal, stopped.signal]
        const result = await model.doStream(withSignals(params, signals))
        const stream = paidStream(result.stream, account, { signal: abortSignal, stop, over })
        forgotten?.register(stream, { account, stop }, stopped)
        return { ...result, stream }
      } catch (error) {
        over()
        await (account.signal.aborted ? account.leave() : account.fail())
        throw account.failure ?? error
      }
    },
  }
}

function withSignals(params: CallParams, signals: readonly (AbortSignal | undefined)[]): CallParams {
  return { ...params, abortSignal: AbortSignal.any(signals.filter(signal => signal !== undefined)) }
}
