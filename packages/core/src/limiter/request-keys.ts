import type { Ask } from '../check/ask.ts'
import { isPromise } from '../base/promises.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Caller } from '../request/caller.ts'
import type { ExemptionCheck } from './exemption-check.ts'
import type { KeyOutcome, KeyResolver } from './key-resolver.ts'

/** Finds the keys under which policies count a request. */
export class RequestKeys {
  readonly #exemptionCheck: ExemptionCheck
  readonly #keyResolver: KeyResolver

  constructor(exemptionCheck: ExemptionCheck, keyResolver: KeyResolver) {
    this.#exemptionCheck = exemptionCheck
    this.#keyResolver = keyResolver
  }

  /** Finds the key of a policy. `'allow'` means that this policy does not count the request. */
  find(policy: CompiledPolicy, caller: Caller, ask: Ask): KeyOutcome | Promise<KeyOutcome> {
    if (policy.off) return 'allow'
    const isExempt =
      ask.mode === 'peek'
        ? this.#exemptionCheck.reason(policy, caller) !== undefined
        : this.#exemptionCheck.exempts(policy, caller)
    return isExempt ? 'allow' : this.#keyResolver.find(policy, caller)
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
}
