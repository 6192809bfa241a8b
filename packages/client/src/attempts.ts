import { type Cost, type Decision, HaltError, type Identity } from '@halt/core'
import { isStrayPromise, LimitedError } from '@halt/core/http'

import { readAnswer } from './headers/answer-reading.ts'
import { headersOf } from './headers/header-list.ts'
import { capWait } from './headers/longest-wait.ts'
import type { CallPolicy, CallSettings } from './options.ts'
import type { OutgoingCall } from './outgoing-call.ts'
import { sleep } from './sleep.ts'
import { backoff, isRefusal, toldWait } from './waits.ts'

/** The next step of a call after an answer. */
export interface Verdict {
  /** The wait in milliseconds before the call is sent again; `undefined` if the answer is the caller's. */
  readonly again: number | undefined
  /** Settles when the shared counter is paused as the answer tells. Never rejects. */
  readonly learned: Promise<void>
}

/** One outgoing call: its turns, and what its answers mean for the next attempt. */
export class Attempts {
  readonly #settings: CallSettings
  readonly #key: Identity
  readonly #cost: Cost | undefined
  readonly #policy: CallPolicy | undefined
  readonly #canResend: boolean
  readonly #url: string
  #sent = 0

  /**
   * @param call the call, made only if `key`, `cost` or `policy` is a function
   * @param body whether the body can be sent a second time
   */
  constructor(settings: CallSettings, url: string, method: string, body: boolean, call: () => OutgoingCall) {
    const { key, cost, policy, methods } = settings
    let seen: OutgoingCall | undefined
    const given = (): OutgoingCall => (seen ??= call())
    this.#settings = settings
    this.#url = url
    this.#key =
      typeof key === 'function' ? givenAtOnce('key', key(given())) : (key ?? { custom: new URL(url).host })
    this.#cost = typeof cost === 'function' ? givenAtOnce('cost', cost(given())) : cost
    this.#policy = typeof policy === 'function' ? givenAtOnce('policy', policy(given())) : policy
    this.#canResend = body && methods.has(method)
  }

  /**
   * Waits for the call's turn.
   *
   * @throws LimitedError `HALT_E_LIMITED` if the limiter refuses; the reason of `signal` if that is aborted
   */
  async turn(signal: AbortSignal | undefined): Promise<Decision> {
    const { limiter, maxWait } = this.#settings
    const decision = await limiter.acquire(this.#key, {
      maxWait,
      ...(this.#cost !== undefined && { cost: this.#cost }),
      ...(this.#policy !== undefined && { policy: this.#policy }),
      ...(signal !== undefined && { signal }),
    })
    if (!decision.allowed) throw new LimitedError(decision)
    this.#sent++
    return decision
  }

  /** Gives the place of a call back that is over, if the limiter counts calls in flight. Never rejects. */
  async over(turn: Decision): Promise<void> {
    try {
      await this.#settings.limiter.release(turn)
    } catch {
      // The place is free again after its `ttl`.
    }
  }

  /**
   * Reads an answer: pauses the shared counter if it says so, and tells when the call is to be sent again.
   *
   * @param from the address that answered, where redirects have led the call; `undefined` if it is not known
   */
  judge(status: number, answer: unknown, from: string | undefined): Verdict {
    const { limiter, learn, on, most, maxWaitMs } = this.#settings
    const now = Date.now()
    const refused = isRefusal(status) || on.has(status)
    const told = toldWait(refused, readAnswer(headersOf(answer), now, limiter.warn), now)
    const wait = told > 0 ? capWait(told, limiter.warn) : backoff(this.#sent, Math.random())
    const isToLearn = told > 0 ? learn === true || refused : status === 429
    return {
      again: this.#canResend && on.has(status) && this.#sent <= most && wait <= maxWaitMs ? wait : undefined,
      learned:
        learn !== false && isToLearn && !this.#isElsewhere(from) ? this.#pause(wait) : Promise.resolve(),
    }
  }

  /** Waits until the call is to be sent again. @throws the reason of `signal` if that is aborted */
  async rest({ again = 0, learned }: Verdict, signal: AbortSignal | undefined): Promise<void> {
    await Promise.all([learned, sleep(again, signal)])
  }

  /** Whether another host answered. It may not pause the calls of all processes to this one. */
  #isElsewhere(from: string | undefined): boolean {
    if (from === undefined || !URL.canParse(from)) return false
    return new URL(from).host !== new URL(this.#url).host
  }

  async #pause(ms: number): Promise<void> {
    try {
      await this.#settings.limiter.pause(this.#key, {
        for: Math.max(1, Math.ceil(ms)) / 1000,
        ...(this.#policy !== undefined && { policy: this.#policy }),
      })
    } catch {
      // The store is away. The call goes on, and the next answer tells the same again.
    }
  }
}

/** Returns the value of a function of the application. @throws HaltError `HALT_E_OPTION` for a promise */
function givenAtOnce<T>(name: string, value: T): T {
  if (!isStrayPromise(value)) return value
  throw new HaltError(
    'HALT_E_OPTION',
    `${name} returned a promise, and Halt does not wait for it.`,
    'Return the value itself, and do slow work before the call.',
  )
}
