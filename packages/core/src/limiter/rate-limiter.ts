import {
  checkCall,
  type CheckOptions,
  checkValues,
  NO_OPTIONS,
  type PeekOptions,
} from '../check/check-options.ts'
import { fromCaller } from '../base/call-site.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { refuseDuplicates } from '../policy/duplicates.ts'
import type { Cost } from '../policy/cost.ts'
import type { CounterReading } from '../check/counter-reading.ts'
import type { Decision } from '../check/decision.ts'
import type { HaltWarning, Warn } from '../base/warnings.ts'
import type { Explanation } from '../check/explanation.ts'
import type { Forgetting } from './forgetting.ts'
import type { Charges } from './charges.ts'
import type { Looks } from './looks.ts'
import { noticeCostNames, noticeStrangeNames } from '../misuse/index.ts'
import type { TelemetryReporter } from '../telemetry/reporter.ts'
import type { LimiterNumbers, RateLimiterOptions } from './options.ts'
import { makePartitionOf } from '../base/partition.ts'
import type { Pipeline } from './pipeline.ts'
import type { PolicySource } from './policy-source.ts'
import type { CheckParameters } from '../check/check-options.ts'
import { Caller } from '../request/caller.ts'
import type { CallerSettings } from '../request/caller-settings.ts'
import { digestIn } from '../request/subject.ts'
import { type Identity, isIdentity, kindOf } from '../request/identity.ts'
import { toView } from '../request/to-view.ts'
import type { RequestView } from '../request/view.ts'
import { assembleLimiter } from './assembly.ts'
import type { Store } from '../store/contract.ts'
import { enter, leave } from './store-users.ts'

/** A charge made in advance. */
export interface Reservation {
  readonly decision: Decision
  /** Corrects the charge to what was used. */
  settle(actual: Cost): Promise<void>
  /** Gives the whole charge back; nothing that was settled before. */
  cancel(): Promise<void>
}

/**
 * Decides requests by policies whose counters are in a store. `R` is the framework's request.
 *
 * @throws HaltError when an option or a policy is wrong; a request never throws, it always gets a decision
 * @example
 * const limiter = new RateLimiter({ store: new InMemoryStore(), policy: presets.PUBLIC_API })
 * const decision = await limiter.check(request)
 */
export class RateLimiter<R = unknown> {
  /** The counters. */
  readonly store: Store
  /** Passes on a warning, once per code. */
  readonly warn: Warn
  /** What the `draft-8` headers show in place of a decision's key: 12 digits of its digest, base64. An HMAC with `secret`. */
  readonly partitionOf: (key: string) => string
  readonly #options: RateLimiterOptions<R>
  readonly #numbers: LimiterNumbers
  readonly #callers: CallerSettings
  readonly #policies: PolicySource
  readonly #reporter: TelemetryReporter
  readonly #pipeline: Pipeline
  readonly #charges: Charges
  readonly #looks: Looks
  readonly #forgetting: Forgetting

  constructor(options: RateLimiterOptions<R>) {
    const parts = fromCaller(RateLimiter, () => assembleLimiter(options))
    this.store = options.store
    this.warn = parts.warn
    this.partitionOf = makePartitionOf(parts.callers.digest)
    this.#options = options
    this.#numbers = parts.numbers
    this.#callers = parts.callers
    this.#policies = parts.policies
    this.#reporter = parts.reporter
    this.#pipeline = parts.pipeline
    this.#charges = parts.charges
    this.#looks = parts.looks
    this.#forgetting = parts.forgetting
    enter(this.store, this)
  }

  /** The limiter's options as given. */
  get options(): RateLimiterOptions<R> {
    return this.#options
  }

  /** How long a callback may take, milliseconds. */
  get callbackTimeout(): number {
    return this.#numbers.callbackTimeout
  }

  /** A policy this limiter has met, by name. */
  policyNamed(name: string): CompiledPolicy | undefined {
    return this.#policies.named(name)
  }

  /**
   * Validates and compiles what checks will name as `policy` and `also`, so that a mistake shows at start and not in a
   * request. Without a `policy`: the limiter's own.
   *
   * @throws HaltError with a code for the field that is wrong; `HALT_E_DUPLICATE_POLICY`
   */
  compile(policy?: CheckOptions<R>['policy'], also?: CheckOptions<R>['also']): readonly CompiledPolicy[] {
    const own = policy === undefined ? this.policies : this.#policies.compile(policy as never)
    if (also === undefined) return own
    const all = [...own, ...this.#policies.compile(also as never)]
    refuseDuplicates(all)
    return all
  }

  /** The fixed policies; empty with a resolver. */
  get policies(): readonly CompiledPolicy[] {
    return this.#policies.fixed ?? []
  }

  /**
   * Decides a request, and charges it when it is allowed. An identity is for {@link consume}, and treated so.
   *
   * @param request any Node request, a Fetch `Request`, or a `RequestView`
   * @throws HaltError `HALT_E_COST`, `HALT_E_POLICY…`: a mistake in the call, never the request's content
   */
  async check(request: R | RequestView, options: CheckOptions<R> = NO_OPTIONS): Promise<Decision> {
    checkCall(options)
    if (isNamed(request)) return this.#decideIdentity(request, options)
    return this.checkView(toView(request), options)
  }

  /** As {@link check} for a view, at once where store, policies and keys are: what adapters call. */
  checkView(view: RequestView, options: CheckOptions<R> = NO_OPTIONS): Decision | Promise<Decision> {
    if (options !== NO_OPTIONS) checkValues(options)
    const asked = this.#asked(options)
    const caller = new Caller(view, this.#callers, options.ip)
    const policies = this.#policies.of(view, options)
    if (policies !== undefined && 'then' in policies)
      return policies.then(found => this.#checkBy(found, caller, asked))
    return this.#checkBy(policies, caller, asked)
  }

  /**
   * What {@link check} would say now; consumes nothing. Of an identity: what the policies say that count requests under it,
   * or that {@link consume} has charged for it; `decision.unreachable` lists the others.
   *
   * @throws HaltError `HALT_E_IDENTITY_KIND` for an identity under which no policy counts; `HALT_E_POLICY_REQUIRED` for an
   * identity when the policies come from a resolver and none is given
   */
  async peek(target: R | RequestView | Identity, options: PeekOptions<R> = {}): Promise<Decision> {
    return this.#looks.peek(target, options as PeekOptions<never>)
  }

  /**
   * Charges every policy of the limiter for an identity: jobs, sockets, model calls.
   *
   * @throws HaltError `HALT_E_POLICY_REQUIRED` when the policies come from a resolver and none is given
   */
  async consume(identity: Identity, options: Omit<CheckOptions<R>, 'ip'> = {}): Promise<Decision> {
    checkCall(options)
    return this.#decideIdentity(identity, options)
  }

  /**
   * Corrects what a decision charged to what was really used; 0 gives all of it back. May overdraw.
   *
   * Does nothing for what was exempt, refused or let in uncounted, and, with a warning, a second time.
   *
   * @throws HaltError `HALT_E_SETTLE` for a copy of a decision; `HALT_E_COST`
   */
  async settle(decision: Decision, actual: Cost): Promise<void> {
    await this.#charges.settle(decision, actual)
  }

  /** What a decision charged, units by policy; empty where it charged nothing. What was settled since does not show. */
  chargesOf(decision: Decision): ReadonlyMap<string, number> {
    return this.#charges.chargesOf(decision)
  }

  /**
   * Tells that the application has decided the response of a request. `counts` is false where the request is not to count:
   * then the whole charge is given back. What a policy with `inFlight` holds is taken now. Once; adapters do it with what
   * `chargeWhen` says.
   */
  async conclude(decision: Decision, counts: boolean | Promise<boolean>): Promise<void> {
    await this.#charges.conclude(decision, counts)
  }

  /**
   * Ends a request in flight that a `concurrency` policy counts, and takes what a policy with `inFlight` holds. Once; adapters
   * do it when the response ends.
   */
  async release(decision: Decision): Promise<void> {
    await this.#charges.release(decision)
  }

  /** Charges an estimate; settle or cancel it afterwards. What neither happens to stays charged. */
  async reserve(target: R | RequestView | Identity, options: CheckOptions<R> = {}): Promise<Reservation> {
    const decision = isIdentity(target)
      ? await this.consume(target, options)
      : await this.check(target, options)
    return {
      decision,
      settle: actual => this.settle(decision, actual),
      cancel: () => this.#charges.cancel(decision),
    }
  }

  /**
   * Forgets the counters and cool-downs of an identity, those a request is counted on, or those a decision counted on;
   * never quotas or penalties. Those of `policy`, else of all policies that this limiter has met (for a request: that
   * decide it). The counter of a `shared` policy is everybody's, and is forgotten for everybody.
   *
   * @returns how many counters the store forgot
   * @throws HaltError `HALT_E_IDENTITY_KIND` for an identity under which no policy counts; `HALT_E_ROUTES_UNKNOWN` when
   * counters of routes remain that this process cannot name; `HALT_E_POLICY_REQUIRED` when the policies come from a resolver
   * that has given none yet; `HALT_E_POLICY` for nothing but quotas; `HALT_E_STORE`
   */
  async reset(
    target: Identity | R | RequestView | Decision,
    { policy }: Pick<CheckOptions<R>, 'policy'> = {},
  ): Promise<number> {
    return this.#forgetting.forget(target, policy)
  }

  /**
   * Shows how a request or an identity would be decided, and why; consumes nothing. Of an identity, `unreachable` lists the
   * policies that never count requests under it; when no other is left, there is no `decision`.
   */
  explain(target: Identity, options?: PeekOptions<R>): Promise<Explanation>
  explain(
    target: R | RequestView,
    options?: PeekOptions<R>,
  ): Promise<Explanation & { readonly decision: Decision }>
  async explain(target: R | RequestView | Identity, options: PeekOptions<R> = {}): Promise<Explanation> {
    return this.#looks.explain(target, options as PeekOptions<never>)
  }

  /**
   * Reads the counters of an identity or a request as the store holds them, quotas among them; consumes nothing.
   *
   * @returns one reading for each counter; empty for a request that is exempt
   * @throws HaltError as {@link peek}; `HALT_E_STORE` when the store does not answer
   */
  async inspect(
    target: R | RequestView | Identity,
    options: PeekOptions<R> = {},
  ): Promise<readonly CounterReading[]> {
    return this.#looks.inspect(target, options as PeekOptions<never>)
  }

  /**
   * The digest that stands for an identity's id in keys, logs and metrics: always for an API key, for other ids where they
   * are long or could be read as something else. 22 characters, without the `#` that precedes it there.
   *
   * @returns undefined where the id is shown as it is
   * @throws HaltError `HALT_E_IDENTITY`
   */
  digestOf(identity: Identity): string | undefined {
    return digestIn(this.#looks.subjectOf(identity))
  }

  /** Checks the store and the set-up; resolves to what should be mended. */
  async ready(): Promise<HaltWarning[]> {
    const found = await this.store.inspect?.()
    return [...(found ?? [])]
  }

  /**
   * Closes the limiter, and its store when no other open limiter uses that: then the store ends what it opened itself. A
   * limiter that was collected without a close does not count; quotas and penalties by hand do not either. A second close
   * does nothing.
   */
  async close(): Promise<void> {
    await this.#charges.close()
    if (leave(this.store, this)) await this.store.close?.()
  }

  #decideIdentity(identity: Identity, options: CheckOptions<R>): Decision | Promise<Decision> {
    const policies = this.#policies.forIdentity(options)
    const asked = this.#priced(policies, this.#asked(options))
    return this.#pipeline.checkSubject(this.#looks.subjectOf(identity), policies, asked)
  }

  #checkBy(
    policies: readonly CompiledPolicy[] | undefined,
    caller: Caller,
    asked: CheckParameters,
  ): Decision | Promise<Decision> {
    const priced = policies === undefined ? asked : this.#priced(policies, asked)
    return this.#pipeline.checkRequest(policies, caller, priced)
  }

  /** What is asked, with a cost that counts: one by name that a function gave must name policies. */
  #priced(policies: readonly CompiledPolicy[], asked: CheckParameters): CheckParameters {
    const { cost, costOnError } = asked
    if (typeof cost !== 'object') return asked
    if (costOnError === undefined || this.#policies.areNames(Object.keys(cost), policies)) {
      noticeCostNames(cost, policies, this.warn)
      return asked
    }
    noticeStrangeNames(cost, policies, this.warn)
    return { ...asked, cost: costOnError }
  }

  #asked(options: CheckOptions<R>): CheckParameters {
    const started = this.#reporter.start()
    return started === undefined ? options : { ...options, started }
  }
}

// By its address alone it may be a request; a text is none of either.
function isNamed(target: unknown): target is Identity {
  const mayBe = typeof target === 'object' && target !== null && !('method' in target)
  return mayBe && isIdentity(target) && kindOf(target) !== 'ip'
}
