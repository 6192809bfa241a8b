import { checkCallOptions, type CheckOptions, NO_OPTIONS, type PeekOptions } from '../check/check-options.ts'
import { fromCaller } from '../base/call-site.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { refuseDuplicates } from '../policy/duplicates.ts'
import type { Cost } from '../policy/cost.ts'
import type { CounterReading } from '../check/counter-reading.ts'
import type { Decision } from '../check/decision.ts'
import type { HaltWarning, Warn } from '../base/warnings.ts'
import type { Explanation } from '../check/explanation.ts'
import type { CounterReset } from './counter-reset.ts'
import type { Charges } from './charges.ts'
import { type Decider, frozen } from './decider.ts'
import type { Inspector } from './inspector.ts'
import type { LimiterNumbers, RateLimiterOptions } from './options.ts'
import { atMost } from '../base/timers.ts'
import { makePartitionOf } from '../base/partition.ts'
import type { PolicySource } from './policy-source.ts'
import { digestIn } from '../request/subject.ts'
import { type Identity, isIdentity, kindOf } from '../request/identity.ts'
import { lazyView } from '../request/to-view.ts'
import type { RequestView } from '../request/view.ts'
import { assembleLimiter } from './assembly.ts'
import type { Store } from '../store/contract.ts'
import { addUser, removeUser } from './store-users.ts'
import { type Duration, parseDuration } from '../base/duration.ts'
import { describe } from '../base/describe.ts'
import { checkNames, fail } from '../base/options-check.ts'
import { LimitedError } from '../check/limited-error.ts'
import type { Turn } from '../check/turn.ts'
import { type AcquireOptions, checkAcquireOptions, type CloseOptions } from '../waiting/acquire-options.ts'
import { pauseGroup } from './pause.ts'
import type { Turns } from './turns.ts'

/** A charge made in advance. */
export interface Reservation {
  readonly decision: Decision
  /** Corrects the charge to the units really used. */
  settle(actual: Cost): Promise<void>
  /** Refunds the whole charge, unless it was settled before. */
  cancel(): Promise<void>
}

/**
 * Decides requests by policies whose counters are in a store. `R` is the framework's request type.
 *
 * @throws HaltError when an option or a policy is wrong. A request never throws; it always gets a decision.
 * @example
 * const limiter = new RateLimiter({ store: new InMemoryStore(), policy: presets.PUBLIC_API })
 * const decision = await limiter.check(request)
 */
export class RateLimiter<R = unknown> {
  /** The counters. */
  readonly store: Store
  /** Passes on a warning, once per code. */
  readonly warn: Warn
  /**
   * The partition key that the `draft-8` headers show instead of a decision's key: 12 base64 digits of its digest. An HMAC
   * with `secret`.
   */
  readonly partitionOf: (key: string) => string
  readonly #options: RateLimiterOptions<R>
  readonly #numbers: LimiterNumbers
  readonly #policies: PolicySource
  readonly #decider: Decider
  readonly #charges: Charges
  readonly #turns: Turns
  readonly #inspector: Inspector
  readonly #counterReset: CounterReset
  #closing: Promise<void> | undefined

  constructor(options: RateLimiterOptions<R>) {
    const parts = fromCaller(RateLimiter, () => assembleLimiter(options))
    this.store = options.store
    this.warn = parts.warn
    this.partitionOf = makePartitionOf(parts.callers.digest)
    this.#options = options
    this.#numbers = parts.numbers
    this.#policies = parts.policies
    this.#decider = parts.decider
    this.#charges = parts.charges
    this.#turns = parts.turns
    this.#inspector = parts.inspector
    this.#counterReset = parts.counterReset
    addUser(this.store, this)
  }

  /** The options as they were given. */
  get options(): RateLimiterOptions<R> {
    return this.#options
  }

  /** The longest time that a callback may take, in milliseconds. */
  get callbackTimeout(): number {
    return this.#numbers.callbackTimeout
  }

  /** A policy that this limiter has used, by name. */
  policyNamed(name: string): CompiledPolicy | undefined {
    return this.#policies.named(name)
  }

  /**
   * Validates and compiles the policies that checks will give as `policy` and `also`, so that a mistake shows at start and not
   * in a request. `policy` defaults to the limiter's own policies.
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

  /** How many callers of this process wait for their turn. */
  get waiting(): number {
    return this.#turns.size
  }

  /** The fixed policies; empty with a resolver. */
  get policies(): readonly CompiledPolicy[] {
    return this.#policies.fixed ?? []
  }

  /**
   * Decides a request, and charges it when it is allowed. An identity is treated as by {@link consume}.
   *
   * @param request any Node request, a Fetch `Request`, or a `RequestView`
   * @throws HaltError `HALT_E_COST`, `HALT_E_POLICY…` for a mistake in the call, never for the content of the request
   */
  check(request: R | RequestView, options: CheckOptions<R> = NO_OPTIONS): Promise<Decision> {
    // perf: bench "limiter.check(request)"; an async function would cost a fifth more.
    try {
      checkCallOptions(options)
      return Promise.resolve(
        isIdentityButNotIp(request)
          ? this.#decider.identity(request, options as CheckOptions<never>)
          : this.checkView(lazyView(request), options),
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** As {@link check} for a view. Adapters call it. Synchronous when the store, the policies and the keys are. */
  checkView(view: RequestView, options: CheckOptions<R> = NO_OPTIONS): Decision | Promise<Decision> {
    return frozen(this.decideView(view, options))
  }

  /** @internal As {@link checkView}, but the decision may not be frozen yet. Guards call it, and freeze a decision when it is read. */
  decideView(view: RequestView, options: CheckOptions<R> = NO_OPTIONS): Decision | Promise<Decision> {
    return this.#decider.view(view, options as CheckOptions<never>)
  }

  /**
   * Waits for the turn of a request or an identity, then charges it as {@link check} or {@link consume} does. Callers of a token
   * bucket start in the order in which they asked, over all processes. Resolves at once with a refusal if the wait would be longer
   * than `maxWait`; such a caller is charged nothing. Rejects with the signal's reason; the place is then given back.
   *
   * The place is a position: refunds, resets and other limits move all who wait, in order. A caller whose start has moved beyond
   * `maxWait` is refused when `maxWait` has passed, and one that an operator has blocked at its turn.
   *
   * Other algorithms keep the order within the process: the caller asks again when a window ends, or when a request in flight ends.
   *
   * @throws HaltError `HALT_E_MAX_WAIT` and as {@link check}; `HALT_E_CLOSED` when the limiter closes meanwhile
   */
  acquire(target: R | RequestView | Identity, options: AcquireOptions<R> = NO_OPTIONS): Promise<Decision> {
    try {
      checkAcquireOptions(options)
      const { maxWait, signal, ...given } = options
      // Thousands of callers may wait. Those without options share one object.
      const rest = options === NO_OPTIONS ? options : given
      const ask = (turn: Turn | undefined): Decision | Promise<Decision> =>
        this.#decider.waiting(target, rest as CheckOptions<never>, turn)
      return Promise.resolve(this.#turns.acquire(ask, { maxWait, signal }))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Waits for one's turn as {@link acquire} does, then runs a function, and ends its request in flight when it has settled.
   *
   * @throws LimitedError `HALT_E_LIMITED` when the caller is refused; the function's own error; and as {@link acquire}
   */
  async run<T>(
    target: R | RequestView | Identity,
    work: (decision: Decision) => T | Promise<T>,
    options: AcquireOptions<R> = NO_OPTIONS,
  ): Promise<T> {
    if (typeof work !== 'function')
      fail(
        'HALT_E_OPTION',
        `run() got ${describe(work)} for the work.`,
        'Give a function: run(who, () => call()).',
      )
    const decision = await this.acquire(target, options)
    if (!decision.allowed) throw new LimitedError(decision)
    try {
      return await work(decision)
    } finally {
      await this.release(decision)
    }
  }

  /** @internal As {@link acquire} for a view and the options of an adapter. */
  acquireView(
    view: RequestView,
    { maxWait, signal, ...options }: CheckOptions<R> & Pick<AcquireOptions, 'maxWait' | 'signal'>,
  ): Decision | Promise<Decision> {
    const ask = (turn: Turn | undefined): Decision | Promise<Decision> =>
      this.#decider.waitingView(view, options as CheckOptions<never>, turn)
    return this.#turns.acquire(ask, { maxWait, signal })
  }

  /**
   * Refuses an identity for some time, in every process: by a cool-down of the counters that {@link consume} charges for it, other
   * than quotas. A longer cool-down stays. The lines of these counters freeze, and go on where they were; nobody asks again.
   *
   * @param options `for`: how long, from 1 ms to 366 days; `policy`: the policies, by default all of the limiter
   * @throws HaltError `HALT_E_DURATION`; `HALT_E_STORE`; `HALT_E_POLICY_REQUIRED` as {@link consume}
   */
  async pause(
    identity: Identity,
    options: { readonly for: Duration; readonly policy?: CheckOptions<R>['policy'] },
  ): Promise<void> {
    checkNames(options, ['for', 'policy'], 'pause()')
    const { for: duration, policy } = options
    const policies = this.#policies.forIdentity({ policy } as CheckOptions<R>)
    const group = pauseGroup(this.#inspector.subjectOf(identity), policies, duration)
    if (group !== undefined) await this.#charges.apply(group)
  }

  /**
   * Returns the decision that {@link check} would give now, and charges nothing. For an identity, it covers the policies that
   * count requests under it or that {@link consume} has charged for it; `decision.unreachable` lists the others.
   *
   * @throws HaltError `HALT_E_IDENTITY_KIND` for an identity under which no policy counts; `HALT_E_POLICY_REQUIRED` for an
   * identity when the policies come from a resolver and none is given
   */
  async peek(target: R | RequestView | Identity, options: PeekOptions<R> = {}): Promise<Decision> {
    return this.#inspector.peek(target, options as PeekOptions<never>)
  }

  /**
   * Charges every policy of the limiter for an identity, for work without a request: jobs, sockets, model calls.
   *
   * @throws HaltError `HALT_E_POLICY_REQUIRED` when the policies come from a resolver and none is given
   */
  consume(identity: Identity, options: Omit<CheckOptions<R>, 'ip'> = NO_OPTIONS): Promise<Decision> {
    try {
      checkCallOptions(options)
      return Promise.resolve(this.#decider.identity(identity, options as CheckOptions<never>))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Corrects the charge of a decision to the units really used. 0 refunds all of it. The counter may be overdrawn.
   *
   * Does nothing for a request that was exempt, refused or allowed uncounted. A second settlement does nothing but warn.
   *
   * @throws HaltError `HALT_E_SETTLE` for a copy of a decision; `HALT_E_COST`
   */
  async settle(decision: Decision, actual: Cost): Promise<void> {
    await this.#charges.settle(decision, actual)
  }

  /** The units that a decision charged, by policy name; empty when it charged nothing. Later settlements do not change it. */
  chargesOf(decision: Decision): ReadonlyMap<string, number> {
    return this.#charges.chargesOf(decision)
  }

  /**
   * Charges or refunds a request, once the application has decided its response. `counts` is false when the request must not count: then the
   * whole charge is refunded. Otherwise the cost that a policy with `inFlight` holds is charged now. Works once per decision.
   * Adapters call it with the answer of `chargeWhen`.
   */
  async conclude(decision: Decision, counts: boolean | Promise<boolean>): Promise<void> {
    await this.#charges.conclude(decision, counts)
  }

  /**
   * Ends a request in flight that a `concurrency` policy counts, and charges the cost that a policy with `inFlight` holds. Works
   * once per decision. Adapters call it when the response ends.
   */
  async release(decision: Decision): Promise<void> {
    await this.#charges.release(decision)
  }

  /** Charges an estimate, which you settle or cancel afterwards. Without either, the estimate stays charged. */
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
   * Resets counters and their cool-downs: those of an identity, those that count a request, or those that a decision counted
   * on. It never resets quotas or penalties. It covers `policy`, or by default all policies that this limiter has used (for a
   * request: all that decide it). The counter of a `shared` policy is reset for all clients.
   *
   * @returns how many counters the store forgot
   * @throws HaltError `HALT_E_IDENTITY_KIND` for an identity under which no policy counts; `HALT_E_ROUTES_UNKNOWN` when
   * counters remain for routes that this process does not know; `HALT_E_POLICY_REQUIRED` when the policies come from a resolver
   * that has not given any yet; `HALT_E_POLICY` when all policies are quotas; `HALT_E_STORE`
   */
  async reset(
    target: Identity | R | RequestView | Decision,
    { policy }: Pick<CheckOptions<R>, 'policy'> = {},
  ): Promise<number> {
    return this.#counterReset.reset(target, policy)
  }

  /**
   * Explains how a request or an identity would be decided, and charges nothing. For an identity, `unreachable` lists the
   * policies that never count requests under it. When there are no other policies, there is no `decision`.
   */
  explain(target: Identity, options?: PeekOptions<R>): Promise<Explanation>
  explain(
    target: R | RequestView,
    options?: PeekOptions<R>,
  ): Promise<Explanation & { readonly decision: Decision }>
  async explain(target: R | RequestView | Identity, options: PeekOptions<R> = {}): Promise<Explanation> {
    return this.#inspector.explain(target, options as PeekOptions<never>)
  }

  /**
   * Reads the counters of an identity or a request from the store, including quotas, and charges nothing.
   *
   * @returns one reading per counter; empty for an exempt request
   * @throws HaltError as {@link peek}; `HALT_E_STORE` when the store does not answer
   */
  async inspect(
    target: R | RequestView | Identity,
    options: PeekOptions<R> = {},
  ): Promise<readonly CounterReading[]> {
    return this.#inspector.inspect(target, options as PeekOptions<never>)
  }

  /**
   * The digest that replaces an identity's id in keys, logs and metrics: always for an API key, and for other ids that are long
   * or ambiguous. 22 characters, without the `#` that precedes it there.
   *
   * @returns undefined when the id is shown as it is
   * @throws HaltError `HALT_E_IDENTITY`
   */
  digestOf(identity: Identity): string | undefined {
    return digestIn(this.#inspector.subjectOf(identity))
  }

  /**
   * The key of an identity, as decisions, hooks and the entries of `Control` show it: `user:42`, `api-key:#…`.
   *
   * @throws HaltError `HALT_E_IDENTITY`
   */
  keyOf(identity: Identity): string {
    return this.#inspector.subjectOf(identity)
  }

  /** Checks the store and its set-up. Resolves to the problems found. */
  async ready(): Promise<HaltWarning[]> {
    const found = await this.store.inspect?.()
    return [...(found ?? [])]
  }

  /**
   * Closes the limiter, once everything that is under way has ended: checks, refunds, releases, charges, leases. What begins
   * meanwhile is awaited as well. It waits for no call longer than `storeTimeout`, and for no `chargeWhen` longer than
   * `callbackTimeout`, so it ends when the store hangs, too. Callers that wait for their turn are sent away with `HALT_E_CLOSED`, and
   * their places are given back.
   *
   * Then it closes the store, when no other open limiter uses it: the store ends the connections that it opened itself. Limiters
   * that were garbage-collected, `QuotaManager` and `PenaltyManager` do not count as users. A second close waits for the first.
   *
   * @param options `finishLine`: how long callers that wait still have their turns first, from 1 ms to 24 hours. Default: not at all
   * @throws HaltError `HALT_E_DURATION`, `HALT_E_UNKNOWN_FIELD`
   */
  async close(options: CloseOptions = {}): Promise<void> {
    checkNames(options as Readonly<Record<string, unknown>>, ['finishLine'], 'close()')
    const { finishLine } = options
    const finish = finishLine === undefined ? 0 : parseDuration(finishLine, 'finishLine')
    await (this.#closing ??= this.#close(finish))
  }

  /** @internal Resolves when nothing is under way, as {@link close} does. The limiter stays open. */
  rest(): Promise<void> {
    return this.#charges.rest()
  }

  async #close(finish: number): Promise<void> {
    await this.#turns.close(finish)
    await this.#charges.close()
    const { store } = this
    if (!removeUser(store, this) || store.close === undefined) return
    this.#charges.storeCloses()
    await atMost(this.#numbers.callbackTimeout, store.close())
  }
}

// `{ ip }` alone may be a `RequestView`, so it is treated as a request. A string is neither a request nor an identity here.
function isIdentityButNotIp(target: unknown): target is Identity {
  const mayBe = typeof target === 'object' && target !== null && !('method' in target)
  return mayBe && isIdentity(target) && kindOf(target) !== 'ip'
}
