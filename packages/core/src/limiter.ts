import {
  checkCall,
  checkLook,
  type CheckOptions,
  checkValues,
  NO_OPTIONS,
  type PeekOptions,
} from './check-options.ts'
import { type CompiledPolicy, refuseDuplicates } from './compiled-policy.ts'
import type { Cost } from './cost.ts'
import { Decision } from './decision.ts'
import type { Digest } from './digest.ts'
import { HaltError, type HaltWarning, type Warn } from './errors.ts'
import type { Exempter } from './exempter.ts'
import { explain, type Explanation } from './explanation.ts'
import type { Ledger } from './ledger.ts'
import { noticeCostNames } from './misuse/index.ts'
import type { Observer } from './observer.ts'
import type { LimiterNumbers, RateLimiterOptions } from './options.ts'
import { makePartitionOf } from './partition.ts'
import type { Pipeline } from './pipeline.ts'
import type { PolicySource } from './policy-source.ts'
import { type Asked, PEEK } from './question.ts'
import { Caller } from './request/caller.ts'
import type { CallerSettings } from './request/caller-settings.ts'
import { type Identity, isIdentity, type Subject, subjectOf } from './request/identity.ts'
import { type RequestView, toView } from './request/view.ts'
import { furnish } from './rooms.ts'
import { countersOf } from './settlement.ts'
import type { Cell, Store } from './store/contract.ts'

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
  readonly #digest: Digest
  readonly #policies: PolicySource
  readonly #observer: Observer
  readonly #exempter: Exempter
  readonly #pipeline: Pipeline
  readonly #ledger: Ledger

  constructor(options: RateLimiterOptions<R>) {
    const rooms = furnish(options)
    this.store = options.store
    this.warn = rooms.warn
    this.partitionOf = makePartitionOf(rooms.callers.digest)
    this.#options = options
    this.#numbers = rooms.numbers
    this.#callers = rooms.callers
    this.#digest = rooms.digest
    this.#policies = rooms.policies
    this.#observer = rooms.observer
    this.#exempter = rooms.exempter
    this.#pipeline = rooms.pipeline
    this.#ledger = rooms.ledger
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
    if (isNamed(request)) return this.#decideIdentity(request, options, false)
    return this.decide(toView(request), options)
  }

  /** As {@link check} for a view, at once where store, policies and keys are: what adapters call. */
  decide(view: RequestView, options: CheckOptions<R> = NO_OPTIONS): Decision | Promise<Decision> {
    if (options !== NO_OPTIONS) checkValues(options)
    const asked = this.#asked(options)
    const caller = new Caller(view, this.#callers, options.ip)
    const policies = this.#policies.of(view, options)
    if (policies !== undefined && 'then' in policies)
      return policies.then(found => this.#decide(found, caller, asked))
    return this.#decide(policies, caller, asked)
  }

  /**
   * What {@link check} would say now; consumes nothing.
   *
   * @throws HaltError `HALT_E_POLICY_REQUIRED` for an identity when the policies come from a resolver and none is given
   */
  async peek(target: R | RequestView | Identity, options: PeekOptions<R> = {}): Promise<Decision> {
    checkLook(options)
    if (isIdentity(target)) return this.#decideIdentity(target, options, true)
    const { policies, caller } = await this.#look(target, options)
    return this.#pipeline.decide(policies, caller, PEEK)
  }

  /**
   * Charges every policy of the limiter for an identity: jobs, sockets, model calls.
   *
   * @throws HaltError `HALT_E_POLICY_REQUIRED` when the policies come from a resolver and none is given
   */
  async consume(identity: Identity, options: Omit<CheckOptions<R>, 'ip'> = {}): Promise<Decision> {
    checkCall(options)
    return this.#decideIdentity(identity, options, false)
  }

  /**
   * Corrects what a decision charged to what was really used; 0 gives all of it back. May overdraw.
   *
   * Does nothing for what was exempt, refused or let in uncounted, and, with a warning, a second time.
   *
   * @throws HaltError `HALT_E_SETTLE` for a copy of a decision; `HALT_E_COST`
   */
  async settle(decision: Decision, actual: Cost): Promise<void> {
    await this.#ledger.settle(decision, actual)
  }

  /** What a decision charged, units by policy; empty where it charged nothing. What was settled since does not show. */
  chargesOf(decision: Decision): ReadonlyMap<string, number> {
    return this.#ledger.chargesOf(decision)
  }

  /** Ends a request in flight that a `concurrency` policy counts. Once; adapters do it when the response ends. */
  async release(decision: Decision): Promise<void> {
    await this.#ledger.release(decision)
  }

  /** Charges an estimate; settle or cancel it afterwards. What neither happens to stays charged. */
  async reserve(target: R | RequestView | Identity, options: CheckOptions<R> = {}): Promise<Reservation> {
    const decision = isIdentity(target)
      ? await this.consume(target, options)
      : await this.check(target, options)
    return {
      decision,
      settle: actual => this.settle(decision, actual),
      cancel: () => this.#ledger.cancel(decision),
    }
  }

  /**
   * Forgets the counters and cool-downs of an identity, or those a decision counted on; never quotas or penalties. Those of
   * `policy`, else of all policies that this limiter has met.
   *
   * @throws HaltError `HALT_E_POLICY_REQUIRED` when the policies come from a resolver that has given none yet; `HALT_E_POLICY`
   * for nothing but quotas; `HALT_E_STORE`
   */
  async reset(target: Identity | Decision, { policy }: Pick<CheckOptions<R>, 'policy'> = {}): Promise<void> {
    const policies =
      policy === undefined ? [...this.#policies.known()] : this.#policies.compile(policy as never)
    if (policies.length === 0)
      throw policyRequired('The policies come from a resolver, which has given none yet.')
    if (policy !== undefined && policies.every(({ calendar }) => calendar !== undefined))
      throw new HaltError(
        'HALT_E_POLICY',
        `reset forgets no quotas, and "${policies[0]?.name}" is one.`,
        'Call resetQuota of a QuotaManager.',
      )
    const receipt = Decision.receiptOf(target)
    const cells =
      receipt === undefined
        ? countersFor(this.#subject(target as Identity), policies)
        : receipt.grounds === undefined
          ? []
          : countersOf(receipt.grounds, policies)
    await this.#ledger.forget(cells)
  }

  /** Shows how a request or an identity would be decided, and why; consumes nothing. */
  async explain(target: R | RequestView | Identity, options: PeekOptions<R> = {}): Promise<Explanation> {
    checkLook(options)
    if (isIdentity(target)) {
      const decision = await this.#decideIdentity(target, options, true)
      return explain({ decision, policies: this.#policies.without(options) ?? [] })
    }
    const { policies: found, caller } = await this.#look(target, options)
    const decision = await this.#pipeline.decide(found, caller, PEEK)
    const policies = found ?? []
    const exemptions = policies.map(policy => ({
      policy,
      why: this.#isHealthCheck(caller) ?? this.#exempter.reason(policy, caller),
    }))
    const walk = this.#callers.clientIp
    return explain({ decision, policies, caller, exemptions, walk })
  }

  /** Checks the store and the set-up; resolves to what should be mended. */
  async ready(): Promise<HaltWarning[]> {
    const found = await this.store.inspect?.()
    return [...(found ?? [])]
  }

  /** Ends what the limiter and its store opened themselves. */
  async close(): Promise<void> {
    await this.store.close?.()
  }

  #decideIdentity(identity: Identity, options: CheckOptions<R>, peek: boolean): Decision | Promise<Decision> {
    const policies = this.#policies.without(options)
    if (policies === undefined) {
      throw policyRequired('The policies come from a resolver, and an identity is no request.')
    }
    const asked = peek ? PEEK : this.#asked(options)
    this.#checkNames(policies, asked)
    return this.#pipeline.decideFor(this.#subject(identity), policies, asked)
  }

  #decide(
    policies: readonly CompiledPolicy[] | undefined,
    caller: Caller,
    asked: Asked,
  ): Decision | Promise<Decision> {
    if (policies !== undefined) this.#checkNames(policies, asked)
    return this.#pipeline.decide(policies, caller, asked)
  }

  async #look(
    target: R | RequestView,
    options: PeekOptions<R>,
  ): Promise<{ policies: readonly CompiledPolicy[] | undefined; caller: Caller }> {
    const caller = new Caller(toView(target), this.#callers, options.ip)
    return { caller, policies: await this.#policies.of(caller.view, options) }
  }

  #checkNames(policies: readonly CompiledPolicy[], { cost }: Asked): void {
    if (typeof cost === 'object') noticeCostNames(cost, policies, this.warn)
  }

  #asked(options: CheckOptions<R>): Asked {
    const started = this.#observer.start()
    return started === undefined ? options : { ...options, started }
  }

  #subject(identity: Identity): Subject {
    return subjectOf(identity, 'custom', this.#digest, this.#numbers.ipv6Prefix)
  }

  #isHealthCheck({ view }: Caller): string | undefined {
    return this.#exempter.isHealthCheck(view.method, view.path) ? 'the path is a health check' : undefined
  }
}

// By its address alone it may be a request; a text is none of either.
function isNamed(target: unknown): target is Identity {
  const mayBe = typeof target === 'object' && target !== null && !('method' in target || 'ip' in target)
  return mayBe && isIdentity(target)
}

function countersFor(subject: Subject, policies: readonly CompiledPolicy[]): Cell[] {
  const counting = policies.filter(({ calendar }) => calendar === undefined)
  return counting.flatMap(policy => policy.cells().map(cell => ({ subject, cell })))
}

function policyRequired(message: string): HaltError {
  return new HaltError('HALT_E_POLICY_REQUIRED', message, 'Give { policy }.')
}
