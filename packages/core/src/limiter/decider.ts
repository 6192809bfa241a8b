import {
  type Ask,
  askOf,
  CHARGE,
  type CheckOptions,
  checkOptionValues,
  NO_OPTIONS,
} from '../check/check-options.ts'
import { Decision } from '../check/decision.ts'
import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Identity, isIdentity } from '../request/identity.ts'
import type { KeyMaker } from '../request/key-maker.ts'
import { lazyView } from '../request/to-view.ts'
import type { RequestView } from '../request/view.ts'
import type { Adviser } from '../charge/adviser.ts'
import type { Pipeline } from './pipeline.ts'
import type { PolicySource } from './policy-source.ts'
import type { Witness } from '../charge/wings.ts'

/** The parts of a limiter that decide. */
export interface DeciderParts {
  readonly policies: PolicySource
  readonly pipeline: Pipeline
  readonly keys: KeyMaker
  readonly witness: Witness | undefined
  readonly adviser: Adviser | undefined
  readonly warn: Warn
}

type Options = CheckOptions<never>
/** The facts that a caller of the decider adds to the user's options. */
type Added = Pick<Ask, 'queued' | 'ttl'>

/** Decides a call: finds the policies and the cost that its options name, and passes it to the pipeline. */
export class Decider {
  readonly #parts: DeciderParts

  constructor(parts: DeciderParts) {
    this.#parts = parts
  }

  /** Decides a request or an identity, and freezes the decision. */
  target(target: unknown, options: Options, added?: Added): Decision | Promise<Decision> {
    return isIdentity(target)
      ? this.identity(target, options, added)
      : frozen(this.view(lazyView(target), options, added))
  }

  /** Decides a request. The decision may not be frozen yet. Synchronous when the store, the policies and the keys are. */
  view(view: RequestView, options: Options, added?: Added): Decision | Promise<Decision> {
    if (options !== NO_OPTIONS) checkOptionValues(options)
    const ask = this.#askOf(options, added)
    const policies = this.#parts.policies.policiesFor(view, options)
    if (policies !== undefined && 'then' in policies)
      return policies.then(found => this.#checkBy(found, view, ask))
    return this.#checkBy(policies, view, ask)
  }

  identity(identity: Identity, options: Options, added?: Added): Decision | Promise<Decision> {
    const policies = this.#parts.policies.forIdentity(options)
    if (typeof identity === 'string') this.#parts.adviser?.noticeBareString(policies, this.#parts.warn)
    const ask = this.#withCost(policies, this.#askOf(options, added))
    return frozen(this.#parts.pipeline.checkSubject(this.#parts.keys.subjectOf(identity), policies, ask))
  }

  #checkBy(
    policies: readonly CompiledPolicy[] | undefined,
    view: RequestView,
    ask: Ask,
  ): Decision | Promise<Decision> {
    const withCost = policies === undefined ? ask : this.#withCost(policies, ask)
    return this.#parts.pipeline.checkRequest(policies, view, withCost)
  }

  /** Replaces a cost by name with `costOnError` when a cost function returned it and its names are not all policies. */
  #withCost(policies: readonly CompiledPolicy[], ask: Ask): Ask {
    const { cost, costOnError } = ask
    if (typeof cost !== 'object') return ask
    if (costOnError === undefined || this.#parts.policies.areNames(Object.keys(cost), policies)) {
      this.#parts.adviser?.noticeCostNames(cost, policies, this.#parts.warn)
      return ask
    }
    this.#parts.adviser?.noticeStrangeNames(cost, policies, this.#parts.warn)
    return { ...ask, cost: costOnError }
  }

  #askOf(options: Options, added: Added | undefined): Ask {
    const started = this.#parts.witness?.start()
    if (options === NO_OPTIONS && added === undefined && started === undefined) return CHARGE
    return askOf(options, { ...added, started })
  }
}

/** Freezes a decision. One that comes as a promise was frozen when it was made. */
export function frozen(decision: Decision | Promise<Decision>): Decision | Promise<Decision> {
  return 'then' in decision ? decision : Decision.freeze(decision)
}
