import type { Awaitable, Cost, Decision, Identity, Policy, RequestView, Reservation } from '@halt/core'
import { type AbortSignalLike, isPromise, messageOf, readGivenCost, runCallback } from '@halt/core/http'

import type { ToolGuardOptions, ToolLimiter, ToolOutcome } from './options.ts'
import { refusalOf, type ToolRefusal } from './refusal.ts'
import { REPEATS } from './repeats.ts'
import type { Tool } from './tool.ts'

/** A call of a tool, as a framework makes it. */
export interface ToolCall {
  readonly tool: Tool
  readonly context: unknown
  readonly args: unknown
  /** What makes a call the same as another one. Default: the arguments. */
  readonly compared?: unknown
  readonly signal?: AbortSignalLike | undefined
}

/** The end of a call: it was refused, or its tool gave a value. */
export type Ended<T> =
  | { readonly refusal: ToolRefusal; readonly decision: Decision }
  | { readonly refusal: undefined; readonly value: T }

/** A call that may run, until it has ended. */
interface Running {
  readonly call: ToolCall
  readonly decision: Decision
  /** Absent if the call was charged at once. */
  readonly reservation?: Reservation | undefined
}

// Above every capacity, so that such a call is refused and charged nothing.
const ABOVE_ALL = Number.MAX_SAFE_INTEGER
/** Refuses a call of which nobody knows who makes it. */
const NO_CALLER: Policy = Object.freeze({
  name: 'tool_caller',
  limit: 1,
  window: 1,
  keyStrategy: 'custom',
  keyExtractor: () => undefined,
  onMissingKey: 'deny',
})
/** The request of nobody. Its address is the unspecified one, because a call of a tool has none. */
const NOBODY: RequestView = Object.freeze({
  method: 'TOOL',
  path: '/',
  headers: {},
  request: {},
  ip: '0.0.0.0',
})

/** Runs calls of tools that their limits let pass. */
export class ToolCalls {
  readonly #limiter: ToolLimiter
  readonly #who: ToolGuardOptions<never>['who']
  readonly #policies: ReadonlyMap<string, Policy>

  constructor({ limiter, who }: Pick<ToolGuardOptions<never>, 'limiter' | 'who'>) {
    this.#limiter = limiter
    this.#who = who
    const own = limiter.options.policy as unknown as Policy | readonly Policy[]
    const policies = (Array.isArray(own) ? own : [own]) as readonly Policy[]
    this.#policies = new Map(policies.map(policy => [policy.name, policy]))
  }

  /**
   * Runs a call, unless it is refused. A call that gives a generator ends with it.
   *
   * @param hasFailed whether a value of the tool tells of a failure
   * @throws what the tool throws; the reason of the signal if it is aborted before the tool runs
   */
  async run<T>(
    call: ToolCall,
    work: () => T | PromiseLike<T>,
    hasFailed: (value: T) => boolean = () => false,
  ): Promise<Ended<T>> {
    throwIfAborted(call.signal)
    const limits = call.tool.limitsOf(call.compared ?? call.args)
    const running = await this.#admit(call, limits)
    const { decision } = running
    if (!decision.allowed) return { refusal: this.#refusal(decision, call.tool, limits), decision }
    // The caller may have left while the store was asked. Its tool has not run, so it may come again.
    if (call.signal?.aborted === true) await this.#refund(running, 0)
    throwIfAborted(call.signal)
    let value: T
    try {
      value = await work()
    } catch (error) {
      await this.#end(running, { failed: true, result: undefined, error })
      throw error
    }
    if (isGenerator(value)) return { refusal: undefined, value: this.#watch(value, running) as T }
    await this.#end(running, { failed: hasFailed(value), result: value, error: undefined })
    return { refusal: undefined, value }
  }

  async #admit(call: ToolCall, also: readonly Policy[] | undefined): Promise<Running> {
    const limiter = this.#limiter
    const { tool, args, signal } = call
    const identity = await this.#identityOf(call)
    if (identity === undefined) return { call, decision: await limiter.check(NOBODY, { policy: NO_CALLER }) }
    const cost = await this.#costOf(tool, args)
    const options = { cost, also }
    if (tool.delay !== undefined) {
      const { maxWait } = tool.delay
      return { call, decision: await limiter.acquire(identity, { ...options, maxWait, signal }) }
    }
    if (tool.hold === undefined) return { call, decision: await limiter.consume(identity, options) }
    const reservation = await limiter.reserve(identity, { ...options, ttl: tool.hold })
    return { call, decision: reservation.decision, reservation }
  }

  /** Who calls; undefined if nobody can tell. */
  async #identityOf({ tool, context }: ToolCall): Promise<Identity | undefined> {
    const who = this.#who
    if (typeof who !== 'function') return who
    return this.#ask(
      'who',
      'Such a call is refused.',
      () => who({ tool: tool.name, context: context as never }),
      found => {
        if (found === undefined || found === null) return undefined
        // Refuses what is not an identity.
        this.#limiter.keyOf(found)
        return found
      },
      undefined,
    )
  }

  async #costOf({ name, cost }: Tool, args: unknown): Promise<Cost | undefined> {
    if (typeof cost !== 'function') return cost
    return this.#ask(
      `cost of ${name}`,
      'Such a call is refused.',
      () => cost(args as never),
      readGivenCost,
      ABOVE_ALL,
    )
  }

  #refusal(decision: Decision, tool: Tool, limits: readonly Policy[] | undefined): ToolRefusal {
    const own = limits?.find(({ name }) => name === decision.policy)
    const policy = own ?? this.#policies.get(decision.policy)
    return refusalOf(decision, tool.name, policy, own !== undefined && own.keyStrategy !== 'shared')
  }

  /** Corrects the charge of a call by its outcome, and ends it. Never rejects. */
  async #end(running: Running, outcome: ToolOutcome): Promise<void> {
    const { call, decision, reservation } = running
    const { tool, args, signal } = call
    const { chargeWhen, settle } = tool
    const counts =
      chargeWhen === undefined ||
      signal?.aborted === true ||
      (await this.#ask(
        `chargeWhen of ${tool.name}`,
        'Such a call stays charged.',
        () => chargeWhen(outcome),
        answer => answer !== false,
        true,
      ))
    if (!counts) return this.#refund(running)
    const actual =
      settle === undefined || outcome.failed
        ? undefined
        : await this.#ask(
            `settle of ${tool.name}`,
            'The estimate of such a call stays charged.',
            () => settle(outcome.result as never, args as never),
            readGivenCost,
            undefined,
          )
    // An empty cost keeps the estimate, and ends the hold.
    const cost = actual === 0 ? this.#nothing(decision) : (actual ?? {})
    if (reservation !== undefined) await this.#quietly(tool, () => reservation.settle(cost))
    else if (actual !== undefined) await this.#quietly(tool, () => this.#limiter.settle(decision, cost))
    await this.#limiter.release(decision)
  }

  async #refund({ call, decision, reservation }: Running, cost = this.#nothing(decision)): Promise<void> {
    await this.#quietly(call.tool, () =>
      reservation === undefined ? this.#limiter.settle(decision, cost) : reservation.settle(cost),
    )
    await this.#limiter.release(decision)
  }

  /** A cost of nothing. A call that came again has come again even if it failed, so the count of repeats stays. */
  #nothing({ verdicts }: Decision): Cost {
    const names = verdicts.map(({ policy }) => policy).filter(name => name !== REPEATS)
    return Object.fromEntries(names.map(name => [name, 0]))
  }

  async #quietly(tool: Tool, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      this.#limiter.warn({
        code: 'HALT_W_CALLBACK',
        message: `settle of ${tool.name} of a guarded tool failed: ${messageOf(error)}.`,
        fix: 'The estimate of such a call stays charged.',
      })
    }
  }

  async *#watch(values: AsyncIterable<unknown>, running: Running): AsyncGenerator {
    let outcome: ToolOutcome = { failed: false, result: undefined, error: undefined }
    try {
      for await (const result of values) {
        outcome = { ...outcome, result }
        yield result
      }
    } catch (error) {
      outcome = { failed: true, result: undefined, error }
      throw error
    } finally {
      await this.#end(running, outcome)
    }
  }

  /**
   * Reads the answer of a function of the application, which may throw or hang.
   *
   * @param otherwise the answer where the function fails, or `read` throws
   */
  async #ask<T, U>(
    name: string,
    consequence: string,
    call: () => Awaitable<T>,
    read: (value: T) => U,
    otherwise: U,
  ): Promise<U> {
    const answer = await runCallback(this.#limiter, `${name} of a guarded tool`, consequence, () => {
      const value = call()
      return isPromise(value) ? value.then(read) : read(value)
    })
    return answer.failed ? otherwise : answer.value
  }
}

function throwIfAborted(signal: AbortSignalLike | undefined): void {
  if (signal?.aborted === true) throw signal.reason ?? new Error('The call was aborted.')
}

/** A stream, which has no `next`, stays as it is: its tool has ended, and its reader may need its other methods. */
function isGenerator(value: unknown): value is AsyncIterableIterator<unknown> {
  const { next, [Symbol.asyncIterator]: values } = (value ?? {}) as Partial<AsyncIterableIterator<unknown>>
  return typeof next === 'function' && typeof values === 'function'
}
