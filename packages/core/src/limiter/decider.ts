import {
  type CheckOptions,
  checkOptionValues,
  type CheckParameters,
  NO_OPTIONS,
} from '../check/check-options.ts'
import { Decision } from '../check/decision.ts'
import type { Turn } from '../check/turn.ts'
import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Identity, isIdentity } from '../request/identity.ts'
import { lazyView } from '../request/to-view.ts'
import type { RequestView } from '../request/view.ts'
import type { Adviser } from './adviser.ts'
import type { Peeker } from './peeker.ts'
import type { Pipeline } from './pipeline.ts'
import type { PolicySource } from './policy-source.ts'
import type { Witness } from './witness.ts'

/** The parts of a limiter that decide. */
export interface DeciderParts {
  readonly policies: PolicySource
  readonly pipeline: Pipeline
  readonly peeker: Pick<Peeker, 'subjectOf'>
  readonly witness: Witness | undefined
  readonly adviser: Adviser | undefined
  readonly warn: Warn
}

type Options = CheckOptions<never>

/** Decides a call: finds the policies and the cost that its options name, and passes it to the pipeline. */
export class Decider {
  readonly #parts: DeciderParts

  constructor(parts: DeciderParts) {
    this.#parts = parts
  }

  /** Decides a request. The decision may not be frozen yet. Synchronous when the store, the policies and the keys are. */
  view(view: RequestView, options: Options): Decision | Promise<Decision> {
    if (options !== NO_OPTIONS) checkOptionValues(options)
    const parameters = this.#parametersOf(options)
    const policies = this.#parts.policies.policiesFor(view, options)
    if (policies !== undefined && 'then' in policies)
      return policies.then(found => this.#checkBy(found, view, parameters, options.ip))
    return this.#checkBy(policies, view, parameters, options.ip)
  }

  identity(identity: Identity, options: Options): Decision | Promise<Decision> {
    const policies = this.#parts.policies.forIdentity(options)
    const parameters = this.#withCost(policies, this.#parametersOf(options))
    return frozen(
      this.#parts.pipeline.checkSubject(this.#parts.peeker.subjectOf(identity), policies, parameters),
    )
  }

  /** Decides a request or an identity that waits for its turn. */
  waiting(target: unknown, options: Options, turn: Turn | undefined): Decision | Promise<Decision> {
    return isIdentity(target)
      ? this.identity(target, withTurn(options, turn))
      : this.waitingView(lazyView(target), options, turn)
  }

  /** Decides a request that waits for its turn. */
  waitingView(view: RequestView, options: Options, turn: Turn | undefined): Decision | Promise<Decision> {
    return frozen(this.view(view, withTurn(options, turn)))
  }

  #checkBy(
    policies: readonly CompiledPolicy[] | undefined,
    view: RequestView,
    parameters: CheckParameters,
    ip: string | undefined,
  ): Decision | Promise<Decision> {
    const parametersWithCost = policies === undefined ? parameters : this.#withCost(policies, parameters)
    return this.#parts.pipeline.checkRequest(policies, view, parametersWithCost, ip)
  }

  /** Replaces a cost by name with `costOnError` when a cost function returned it and its names are not all policies. */
  #withCost(policies: readonly CompiledPolicy[], parameters: CheckParameters): CheckParameters {
    const { cost, costOnError } = parameters
    if (typeof cost !== 'object') return parameters
    if (costOnError === undefined || this.#parts.policies.areNames(Object.keys(cost), policies)) {
      this.#parts.adviser?.noticeCostNames(cost, policies, this.#parts.warn)
      return parameters
    }
    this.#parts.adviser?.noticeStrangeNames(cost, policies, this.#parts.warn)
    return { ...parameters, cost: costOnError }
  }

  #parametersOf(options: Options): CheckParameters {
    const started = this.#parts.witness?.start()
    return started === undefined ? options : { ...options, started }
  }
}

/** Freezes a decision. One that comes as a promise was frozen when it was made. */
export function frozen(decision: Decision | Promise<Decision>): Decision | Promise<Decision> {
  return 'then' in decision ? decision : Decision.freeze(decision)
}

/** Adds a turn, which is no option of a user's call. */
function withTurn(options: Options, turn: Turn | undefined): Options & { readonly turn?: Turn } {
  return turn === undefined ? options : { ...options, turn }
}
