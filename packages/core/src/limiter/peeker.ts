import { type Ask, PEEK, checkPeekOptions, type PeekOptions } from '../check/check-options.ts'
import { hasCounter } from '../check/check-result.ts'
import { Decision } from '../check/decision.ts'
import { HaltError } from '../base/errors.ts'
import { fail } from '../base/options-check.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { inBraces, isReached, type Unreached, unreachedOf } from '../policy/reachability.ts'
import type { Caller, CallerSettings } from '../request/caller.ts'
import { type Identity, type IdentityKind, isIdentity, kindOf } from '../request/identity.ts'
import { lazyView } from '../request/to-view.ts'
import { type AppliedControl, NO_CONTROL } from './gate.ts'
import type { Pipeline } from './pipeline.ts'
import type { PolicySource } from './policy-source.ts'

/** The parts of a limiter that a peeker uses. */
export interface PeekerParts {
  readonly policies: PolicySource
  readonly pipeline: Pipeline
  readonly callers: CallerSettings
}

/** A peek at an identity: the decision of the policies that the identity reaches. */
export interface IdentityPeek {
  /** Undefined when the identity reaches no policy. */
  readonly decision: Decision | undefined
  readonly kind: IdentityKind
  /** The policies that were evaluated, and those whose mode is `"off"`. */
  readonly policies: readonly CompiledPolicy[]
  readonly unreachable: readonly Unreached[]
  readonly control: AppliedControl
}

/** A peek at a request: the decision that a check would give, and the policies that would decide. */
export interface RequestPeek {
  readonly decision: Decision
  readonly policies: readonly CompiledPolicy[] | undefined
  readonly caller: Caller
}

/** Decides without a charge. For an identity it shows only counters that count requests under that identity. */
export class Peeker {
  readonly #parts: PeekerParts

  constructor(parts: PeekerParts) {
    this.#parts = parts
  }

  /** @throws HaltError `HALT_E_IDENTITY_KIND` when no policy counts requests under the identity */
  async peek(target: unknown, options: PeekOptions<never>): Promise<Decision> {
    checkPeekOptions(options)
    if (!isIdentity(target)) return (await this.request(target, options)).decision
    const { decision, unreachable } = reachedBy(await this.identity(target, options))
    return Decision.withUnreachable(decision, unreachable)
  }

  /** Peeks at a request. @param peek what is asked, beside the options */
  async request(
    target: unknown,
    { ip, ...options }: PeekOptions<never>,
    peek: Ask = PEEK,
  ): Promise<RequestPeek> {
    const view = lazyView(target)
    const policies = await this.#parts.policies.policiesFor(view, options)
    const ask = ip === undefined ? peek : { ...peek, ip }
    const decision = await this.#parts.pipeline.checkRequest(policies, view, ask)
    const caller = this.#parts.pipeline.callerOf(view, ip)
    return { caller, policies, decision }
  }

  /** Peeks at an identity. @param peek what is asked, beside the options */
  async identity(identity: Identity, options: PeekOptions<never>, peek: Ask = PEEK): Promise<IdentityPeek> {
    const policies = this.#parts.policies.forIdentity(options)
    const [subject, kind] = [this.#parts.callers.keys.subjectOf(identity), kindOf(identity)]
    const counting = policies.filter(({ off }) => !off)
    const reached = counting.filter(policy => isReached(policy, kind, counting))
    const evaluate = async (some: readonly CompiledPolicy[]): Promise<Decision> =>
      this.#parts.pipeline.checkSubject(subject, some, peek)
    const control = (await this.#parts.pipeline.gate?.applied(policies, subject)) ?? NO_CONTROL
    let decision: Decision | undefined = await evaluate(policies)
    let shown = counting
    // A block or a permission of an operator holds for all policies.
    const isDecided = control.access !== undefined && peek.countersOnly !== true
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
      unreachable: unreachedOf(kind, counting, reached, this.#parts.callers.apiKey !== undefined),
      control,
    }
  }
}

/** A peek at an identity that reaches some policy. @throws HaltError `HALT_E_IDENTITY_KIND` */
export function reachedBy(peek: IdentityPeek): IdentityPeek & { readonly decision: Decision } {
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

/** Checks that the store decided, and not the fallback. @throws HaltError `HALT_E_STORE` */
export function failIfDegraded({ degraded }: Decision): void {
  if (degraded === false) return
  fail('HALT_E_STORE', 'The store did not answer.', 'Call limiter.ready() to find out what is wrong.')
}
