import { type AppliedControl, NO_CONTROL } from '../check/applied-control.ts'
import { appliedControl } from './applied-control.ts'
import { checkPeekOptions, type PeekOptions } from '../check/check-options.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { countersIn, type CounterReading, hasCounter } from '../check/counter-reading.ts'
import { CallerIds } from '../control/client-ids.ts'
import type { Control } from '../control/control.ts'
import { Decision } from '../check/decision.ts'
import { readId } from '../base/callbacks.ts'
import { HaltError } from '../base/errors.ts'
import type { ExemptionCheck } from './exemption-check.ts'
import { explain } from '../check/explain.ts'
import type { Explanation } from '../check/explanation.ts'
import type { Pipeline } from './pipeline.ts'
import type { PolicySource } from './policy-source.ts'
import type { RequestKeys } from './request-keys.ts'
import { PEEK } from '../check/check-options.ts'
import { inBraces, isReached, type Unreached, unreachedOf } from '../policy/reachability.ts'
import type { Caller } from '../request/caller.ts'
import type { CallerSettings } from '../request/caller-settings.ts'
import {
  type Identity,
  type IdentityKind,
  isIdentity,
  kindOf,
  subjectOf,
  userIn,
} from '../request/identity.ts'
import type { Subject } from '../request/subject.ts'
import { lazyView } from '../request/to-view.ts'
import type { GuardedStore } from '../resilience/guarded-store.ts'

/** The parts of a limiter that an inspector uses. */
export interface InspectorParts {
  readonly policies: PolicySource
  readonly pipeline: Pipeline
  /** The same pipeline, but with nobody blocked or let pass by operators. */
  readonly countersOnly: Pipeline
  readonly control: Control | undefined
  /** The clock that says which entries of operators hold, in Unix milliseconds. */
  readonly clock: Pick<GuardedStore['clock'], 'now'>
  readonly exemptionCheck: ExemptionCheck
  readonly requestKeys: RequestKeys
  readonly callers: CallerSettings
  readonly ipv6Prefix: number
}

/** A peek at an identity: the decision of the policies that the identity reaches. */
interface IdentityPeek {
  /** Undefined when the identity reaches no policy. */
  readonly decision: Decision | undefined
  readonly kind: IdentityKind
  /** The policies that were evaluated, and those whose mode is `"off"`. */
  readonly policies: readonly CompiledPolicy[]
  readonly unreachable: readonly Unreached[]
  readonly control: AppliedControl
}

/** A peek at a request: the decision that a check would give, and the policies that would decide. */
interface RequestPeek {
  readonly decision: Decision
  readonly policies: readonly CompiledPolicy[] | undefined
  readonly caller: Caller
  readonly control: AppliedControl
}

/** Reads counters and charges nothing. For an identity it shows only counters that count requests under that identity. */
export class Inspector {
  readonly #policies: PolicySource
  readonly #pipeline: Pipeline
  readonly #countersOnly: Pipeline
  readonly #control: Control | undefined
  readonly #clock: InspectorParts['clock']
  readonly #exemptionCheck: ExemptionCheck
  readonly #requestKeys: RequestKeys
  readonly #callers: CallerSettings
  readonly #ipv6Prefix: number

  constructor(parts: InspectorParts) {
    const { policies, pipeline, countersOnly, control, clock, exemptionCheck, callers, ipv6Prefix } = parts
    this.#requestKeys = parts.requestKeys
    this.#policies = policies
    this.#pipeline = pipeline
    this.#countersOnly = countersOnly
    this.#control = control
    this.#clock = clock
    this.#exemptionCheck = exemptionCheck
    this.#callers = callers
    this.#ipv6Prefix = ipv6Prefix
  }

  /** @throws HaltError `HALT_E_IDENTITY_KIND` when no policy counts requests under the identity */
  async peek(target: unknown, options: PeekOptions<never>): Promise<Decision> {
    checkPeekOptions(options)
    if (!isIdentity(target)) return (await this.#peekRequest(target, options, this.#pipeline)).decision
    const { decision, unreachable } = reachedBy(await this.#peekIdentity(target, options, this.#pipeline))
    return Decision.withUnreachable(decision, unreachable)
  }

  async explain(target: unknown, options: PeekOptions<never>): Promise<Explanation> {
    checkPeekOptions(options)
    if (isIdentity(target)) return explain(await this.#peekIdentity(target, options, this.#pipeline))
    const peeked = await this.#peekRequest(target, options, this.#pipeline)
    const { decision, policies = [], caller, control } = peeked
    const exemptions = policies.map(policy => ({
      policy,
      why:
        this.#isHealthCheck(caller) ??
        (control.access === undefined ? this.#exemptionCheck.reason(policy, caller) : undefined),
    }))
    return explain({ decision, policies, caller, exemptions, walk: this.#callers.clientIp, control })
  }

  /** @throws HaltError `HALT_E_IDENTITY_KIND` as {@link peek}; `HALT_E_STORE` when the store does not answer */
  async inspect(target: unknown, options: PeekOptions<never>): Promise<readonly CounterReading[]> {
    checkPeekOptions(options)
    const { decision, control } = isIdentity(target)
      ? reachedBy(await this.#peekIdentity(target, options, this.#countersOnly))
      : await this.peekCounters(target, options)
    failIfDegraded(decision)
    const result = Decision.recordOf(decision)?.result
    return result === undefined ? [] : countersIn(result, control)
  }

  /** A peek at the counters of a request, even if operators block its client or let it pass. */
  peekCounters(target: unknown, options: PeekOptions<never>): Promise<RequestPeek> {
    return this.#peekRequest(target, options, this.#countersOnly)
  }

  async #peekRequest(target: unknown, options: PeekOptions<never>, pipeline: Pipeline): Promise<RequestPeek> {
    const view = lazyView(target)
    const policies = await this.#policies.policiesFor(view, options)
    const decision = await pipeline.checkRequest(policies, view, PEEK, options.ip)
    const caller = pipeline.callerOf(view, options.ip)
    // Operators decide nothing about a health check, or about a request without policies.
    const isControlled = policies !== undefined && !this.#exemptionCheck.isHealthCheck(view)
    const control = isControlled ? await this.#controlOf(policies, caller) : NO_CONTROL
    return { caller, policies, decision, control }
  }

  async #controlOf(policies: readonly CompiledPolicy[], caller: Caller): Promise<AppliedControl> {
    const isByKeys = this.#control?.state?.namesCustom === true
    const keys = isByKeys ? await this.#requestKeys.findAll(policies, caller, PEEK) : undefined
    return appliedControl(this.#control, policies, new CallerIds(caller, keys), this.#clock)
  }

  /** Whether the application verifies API keys, so that they have no ceiling per address. */
  get verifiesKeys(): boolean {
    return this.#callers.apiKey !== undefined
  }

  /** The subject of an identity. */
  subjectOf(identity: Identity): Subject {
    const { keys, digest } = this.#callers
    if (typeof identity === 'string') {
      if (readId(identity) !== undefined) return keys.custom(identity).subject
    } else {
      const user = userIn(identity)
      if (user !== undefined) return keys.user(user).subject
    }
    return subjectOf(identity, 'custom', digest, this.#ipv6Prefix)
  }

  async #peekIdentity(
    identity: Identity,
    options: PeekOptions<never>,
    pipeline: Pipeline,
  ): Promise<IdentityPeek> {
    const policies = this.#policies.forIdentity(options)
    const [subject, kind] = [this.subjectOf(identity), kindOf(identity)]
    const counting = policies.filter(({ off }) => !off)
    const reached = counting.filter(policy => isReached(policy, kind, counting))
    const evaluate = async (some: readonly CompiledPolicy[]): Promise<Decision> =>
      pipeline.checkSubject(subject, some, PEEK)
    const control = appliedControl(this.#control, policies, subject, this.#clock)
    let decision: Decision | undefined = await evaluate(policies)
    let shown = counting
    // A block or a permission of an operator holds for all policies.
    const isDecided = control.access !== undefined && pipeline === this.#pipeline
    if (reached.length < counting.length && !isDecided) {
      // Also show counters with a charge, because `consume` may have charged any policy under this identity.
      const result = Decision.recordOf(decision)?.result
      shown = counting.filter(policy => reached.includes(policy) || hasCounter(policy, result))
      if (shown.length === 0) decision = undefined
      else if (shown.length < counting.length) decision = await evaluate(shown)
    }
    return {
      kind,
      decision,
      policies: policies.filter(policy => policy.off || shown.includes(policy)),
      unreachable: unreachedOf(kind, counting, reached, this.verifiesKeys),
      control,
    }
  }

  #isHealthCheck({ view }: Caller): string | undefined {
    return this.#exemptionCheck.isHealthCheck(view) ? 'the path is a health check' : undefined
  }
}

/** A peek at an identity that reaches some policy. @throws HaltError `HALT_E_IDENTITY_KIND` */
function reachedBy(peek: IdentityPeek): IdentityPeek & { readonly decision: Decision } {
  const { decision } = peek
  if (decision === undefined) throw noCountingPolicy(peek.kind, peek.unreachable)
  return { ...peek, decision }
}

/** Makes the error of a peek or a reset for an identity under which no policy counts requests. */
export function noCountingPolicy(kind: IdentityKind, unreached: readonly Unreached[]): HaltError {
  const named = unreached.map(({ policy, reachedBy: instead }) => `"${policy}" is reached by ${instead}`)
  return new HaltError(
    'HALT_E_IDENTITY_KIND',
    `No policy counts requests by ${inBraces(kind)}: ${named.join(', ')}.`,
    'Pass an identity that the policy counts by, or the request.',
  )
}

/**
 * Checks that the store decided, and not the fallback.
 *
 * @throws HaltError `HALT_E_STORE`
 */
export function failIfDegraded({ degraded }: Decision): void {
  if (degraded === false) return
  throw new HaltError(
    'HALT_E_STORE',
    'The store did not answer.',
    'Call limiter.ready() to find out what is wrong.',
  )
}
