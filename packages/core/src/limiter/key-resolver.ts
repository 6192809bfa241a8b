import { BoundedMap } from '../base/bounded-memory.ts'
import { callInTime, warnOfCallback } from '../base/callbacks.ts'
import { describe, messageOf } from '../base/errors.ts'
import { isPromise, atOnce } from '../base/promises.ts'
import type { Warn } from '../base/warnings.ts'
import type { Ask } from '../check/check-options.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type CompiledFair, isWeight } from '../policy/fair.ts'
import type { Caller } from '../request/caller.ts'
import { type FoundKey, NO_TENANT, SHARED } from '../request/identity.ts'
import type { KeyWatcher } from '../charge/adviser.ts'
import type { ExemptionCheck } from './uncounted-decisions.ts'

/**
 * A policy's key for a request. Without a key: `deny` refuses the request, `allow` skips the policy. A policy that needs the
 * address of a client that has departed refuses too: nobody reads the answer, and there is nobody to count.
 */
export type KeyOutcome = FoundKey | 'deny' | 'allow'

const MAX_MISSES = 100
const MAX_NAMES = 10_000

/** Whose key is found, and how: a policy's, or that of the tenants who share its counter. */
interface Keyed extends Pick<CompiledPolicy, 'name' | 'keyStrategy' | 'keyExtractor' | 'onMissingKey'> {
  readonly isTenant?: boolean
}

/** Finds the keys under which policies count a request, and warns of a policy that never finds one. */
export class RequestKeys {
  readonly #exemptionCheck: ExemptionCheck
  readonly #timeout: number
  readonly #warn: Warn
  // By policy name, because a resolver may return a new policy object for each request.
  readonly #misses = new BoundedMap<number>(MAX_NAMES)
  // The policy of the last key, so that a list of one policy is not looked up again.
  #lastFound: Keyed | undefined
  // Whether the one warning of unverified keys was given. Its text is not made again for each request.
  #hasWarnedOfUnverified = false
  readonly #watch: KeyWatcher | undefined

  constructor(exemptionCheck: ExemptionCheck, timeout: number, warn: Warn, watch?: KeyWatcher) {
    this.#exemptionCheck = exemptionCheck
    this.#timeout = timeout
    this.#warn = warn
    this.#watch = watch
  }

  /** Finds the key of a policy. `'allow'` means that this policy does not count the request. */
  find(policy: CompiledPolicy, caller: Caller, ask: Ask): KeyOutcome | Promise<KeyOutcome> {
    if (policy.off) return 'allow'
    const isExempt =
      ask.mode === 'peek'
        ? this.#exemptionCheck.reason(policy, caller) !== undefined
        : this.#exemptionCheck.exempts(policy, caller)
    if (isExempt) return 'allow'
    return policy.fair === undefined ? this.#find(policy, caller) : this.#findTenant(policy, caller)
  }

  /** Finds the keys of some policies, in their order. */
  findAll(
    policies: readonly CompiledPolicy[],
    caller: Caller,
    ask: Ask,
  ): readonly KeyOutcome[] | Promise<readonly KeyOutcome[]> {
    const keys = policies.map(policy => this.find(policy, caller, ask))
    return keys.some(isPromise) ? Promise.all(keys.map(async key => key)) : (keys as KeyOutcome[])
  }

  /** Finds the tenant of a request: its key, as that of a policy by that key. */
  #findTenant(policy: CompiledPolicy, caller: Caller): KeyOutcome | Promise<KeyOutcome> {
    const { name, onMissingKey } = policy
    const { by, keyExtractor, weight } = policy.fair!
    const tenant = (key: KeyOutcome): KeyOutcome =>
      typeof key === 'string'
        ? key
        : {
            subject: SHARED,
            how: `the counter of all tenants; the tenant by ${key.how}`,
            unverified: false,
            tenant: { subject: key.subject, weight: weightOf(name, weight, caller, this.#warn) },
          }
    const found = this.#find({ name, onMissingKey, keyStrategy: by, keyExtractor, isTenant: true }, caller)
    return isPromise(found) ? found.then(tenant) : tenant(found)
  }

  #find(policy: Keyed, caller: Caller): KeyOutcome | Promise<KeyOutcome> {
    if (policy.keyExtractor === undefined) {
      // Requests over a connection without addresses share a stand-in.
      const key = caller.key(policy.keyStrategy)
      if (policy.keyStrategy === 'ip') return caller.lostAddress ? 'deny' : (key as FoundKey)
      if (policy.keyStrategy === 'shared') return key as FoundKey
      if (policy.keyStrategy === 'composite' && caller.lostAddress) return 'deny'
      return this.#accept(policy, caller, key)
    }
    const { keyExtractor } = policy
    const { request, context } = caller.view
    let value: unknown
    try {
      value = keyExtractor(request as never, context)
      if (!isPromise(value)) return this.#extracted(policy, caller, value)
    } catch (error) {
      return this.#fallBack(policy, caller, error)
    }
    return callInTime(
      () => value,
      this.#timeout,
      found => this.#extracted(policy, caller, found),
      (error: unknown) => this.#fallBack(policy, caller, error),
    )
  }

  #extracted(policy: Keyed, caller: Caller, value: unknown): KeyOutcome {
    if (this.#watch?.isDone(policy) === false) this.#watch.observe(policy, caller, value)
    const key = caller.custom(value)
    if (key === undefined && isInvalidKey(value)) this.#noticeKind(policy, value)
    return this.#accept(policy, caller, key)
  }

  #noticeKind({ name }: Keyed, value: unknown): void {
    this.#warn({
      code: 'HALT_W_KEY_EXTRACTOR',
      message: `The keyExtractor of "${name}" gave ${describe(value)}, which is not a key.`,
      fix: 'Return a string or a number, as in request => request.user.id. Until then onMissingKey decides.',
    })
  }

  #fallBack(policy: Keyed, caller: Caller, error: unknown): KeyOutcome {
    this.#warn({
      code: 'HALT_W_KEY_EXTRACTOR',
      message: `The keyExtractor of "${policy.name}" failed: ${messageOf(error)}.`,
      fix: 'Return undefined when a request has no key. Then onMissingKey decides.',
    })
    return this.#missing(policy, caller)
  }

  #accept(policy: Keyed, caller: Caller, key: FoundKey | undefined): KeyOutcome {
    if (key === undefined) return this.#missing(policy, caller)
    if (policy !== this.#lastFound) this.#noteFound(policy)
    if (!key.unverified) return key
    if (!this.#hasWarnedOfUnverified) this.#noticeUnverified(policy)
    // The ceiling on unverified keys counts by the address.
    return caller.lostAddress ? 'deny' : key
  }

  #noteFound(policy: Keyed): void {
    this.#lastFound = policy
    if (this.#misses.get(policy.name) !== FOUND) this.#misses.set(policy.name, FOUND)
  }

  #noticeUnverified({ name, isTenant }: Keyed): void {
    this.#hasWarnedOfUnverified = true
    const gets = isTenant === true ? 'a share for each key' : 'keysPerAddress times the limit'
    this.#warn({
      code: 'HALT_W_UNVERIFIED_API_KEY',
      message: `The policy "${name}" counts unverified API keys. A client that invents keys gets ${gets}.`,
      fix: 'Mount the limiter after authentication and give apiKey: request => request.apiKey, the verified key.',
    })
  }

  #missing(policy: Keyed, caller: Caller): KeyOutcome {
    const misses = this.#misses.get(policy.name) ?? 0
    if (misses !== FOUND) {
      this.#misses.set(policy.name, misses + 1)
      if (misses + 1 === MAX_MISSES) this.#warnNeverFound(policy)
    }
    if (policy.onMissingKey === 'together') return TOGETHER
    if (policy.onMissingKey !== 'ip') return policy.onMissingKey
    if (caller.lostAddress) return 'deny'
    return {
      subject: caller.ip.subject,
      how: 'the client address, because there is no key',
      unverified: false,
    }
  }

  #warnNeverFound({ name, keyStrategy }: Keyed): void {
    this.#warn({
      code: 'HALT_W_KEY_NEVER_FOUND',
      message: `The policy "${name}" found no ${keyStrategy} key in its first ${MAX_MISSES} requests.`,
      fix: 'Mount the limiter after authentication (in Nest: its guard as APP_GUARD before HaltGuard), or give userId, apiKey or keyExtractor.',
    })
  }
}

/**
 * Whether a value that cannot be a key was meant as one. `undefined`, `null`, `false` and an empty string mean that there is
 * no key.
 */
function isInvalidKey(value: unknown): boolean {
  return Boolean(value) || Number.isNaN(value)
}

const FOUND = -1
/** The key of all requests that name no tenant. */
const TOGETHER: FoundKey = Object.freeze({
  subject: NO_TENANT,
  how: 'nothing, so all such requests are one tenant',
  unverified: false,
})

/** The weight of the tenant of a request. 1 if the function that returns it fails. */
function weightOf(policy: string, weight: CompiledFair['weight'], caller: Caller, warn: Warn): number {
  if (typeof weight === 'number') return weight
  let mistake: string
  try {
    const found: unknown = atOnce(weight(caller.view.request as never))
    if (isWeight(found)) return found
    mistake = `gave ${describe(found)}, which is not a whole number from 1 to 100`
  } catch (error) {
    mistake = `failed: ${messageOf(error)}`
  }
  const fix = 'Return a whole number from 1 to 100. Until then such a tenant has the weight 1.'
  warnOfCallback(warn, `weight of "${policy}" ${mistake}.`, fix)
  return 1
}
