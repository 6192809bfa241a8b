import { BoundedMap } from '../base/bounded-map.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { callInTime } from '../base/callbacks.ts'
import { describe } from '../base/describe.ts'
import { messageOf } from '../base/errors.ts'
import type { Warn } from '../base/warnings.ts'
import { KeyWatch } from '../misuse/index.ts'
import type { Caller } from '../request/caller.ts'
import type { FoundKey } from '../request/subject.ts'

/** A policy's key for a request, or what is done without one: the request is refused, or the policy left out. */
export type KeyOutcome = FoundKey | 'deny' | 'allow'

const PATIENCE = 100
const MOST_NAMES = 10_000

/** Finds each policy's key, and notices a policy that never has one. */
export class KeyResolver {
  readonly #timeout: number
  readonly #warn: Warn
  // By name: a resolver may give a new policy object at each request.
  readonly #misses = new BoundedMap<number>(MOST_NAMES)
  readonly #watch: KeyWatch

  constructor(timeout: number, warn: Warn) {
    this.#timeout = timeout
    this.#warn = warn
    this.#watch = new KeyWatch(warn)
  }

  find(policy: CompiledPolicy, caller: Caller): KeyOutcome | Promise<KeyOutcome> {
    if (policy.keyExtractor === undefined) {
      // The address is always there, if only as one shared stand-in.
      const key = caller.key(policy.keyStrategy)
      return policy.keyStrategy === 'ip' || policy.keyStrategy === 'shared'
        ? (key as FoundKey)
        : this.#accept(policy, caller, key)
    }
    const { keyExtractor } = policy
    const { request, context } = caller.view
    return callInTime(
      () => keyExtractor(request as never, context),
      this.#timeout,
      found => this.#extracted(policy, caller, found),
      (error: unknown) => this.#fail(policy, caller, error),
    )
  }

  #extracted(policy: CompiledPolicy, caller: Caller, value: unknown): KeyOutcome {
    if (!this.#watch.isDone(policy)) this.#watch.look(policy, caller, value)
    const key = caller.custom(value)
    if (key === undefined && isNoKey(value)) this.#noticeKind(policy, value)
    return this.#accept(policy, caller, key)
  }

  #noticeKind({ name }: CompiledPolicy, value: unknown): void {
    this.#warn({
      code: 'HALT_W_KEY_EXTRACTOR',
      message: `The keyExtractor of "${name}" gave ${describe(value)}, which is no key.`,
      fix: 'Return a text or a number, as in request => request.user.id; onMissingKey says what follows.',
    })
  }

  #fail(policy: CompiledPolicy, caller: Caller, error: unknown): KeyOutcome {
    this.#warn({
      code: 'HALT_W_KEY_EXTRACTOR',
      message: `The keyExtractor of "${policy.name}" failed: ${messageOf(error)}.`,
      fix: 'Return undefined where a request has no key; onMissingKey says what follows.',
    })
    return this.#missing(policy, caller)
  }

  #accept(policy: CompiledPolicy, caller: Caller, key: FoundKey | undefined): KeyOutcome {
    if (key === undefined) return this.#missing(policy, caller)
    if (this.#misses.get(policy.name) !== FOUND) this.#misses.set(policy.name, FOUND)
    if (key.unverified) this.#noticeUnverified(policy)
    return key
  }

  #noticeUnverified({ name }: CompiledPolicy): void {
    this.#warn({
      code: 'HALT_W_UNVERIFIED_API_KEY',
      message: `The policy "${name}" counts API keys that nobody verified: a client that invents keys gets keysPerAddress times the limit.`,
      fix: 'Mount the limiter behind authentication and give apiKey: request => request.apiKey, the verified key.',
    })
  }

  #missing(policy: CompiledPolicy, caller: Caller): KeyOutcome {
    const misses = this.#misses.get(policy.name) ?? 0
    if (misses !== FOUND) {
      this.#misses.set(policy.name, misses + 1)
      if (misses + 1 === PATIENCE) this.#complain(policy)
    }
    if (policy.onMissingKey !== 'ip') return policy.onMissingKey
    return { subject: caller.ip.subject, how: 'the client address, for want of a key', unverified: false }
  }

  #complain({ name, keyStrategy }: CompiledPolicy): void {
    this.#warn({
      code: 'HALT_W_KEY_NEVER_FOUND',
      message: `The policy "${name}" found no ${keyStrategy} key in its first ${PATIENCE} requests.`,
      fix: 'Mount the limiter behind authentication, or give userId, apiKey or keyExtractor.',
    })
  }
}

/** Whether a value was meant as a key and is none; `undefined`, `null`, `false` and an empty text mean that there is no key. */
function isNoKey(value: unknown): boolean {
  return Boolean(value) || Number.isNaN(value)
}

const FOUND = -1
