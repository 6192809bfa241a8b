import { checkCallOptions, type CheckOptions, NO_OPTIONS, type PeekOptions } from '../check/check-options.ts'
import { fromCaller, type HaltWarning, type Warn } from '../base/warnings.ts'
import { makePartitionOf } from '../base/digest.ts'
import { atMost } from '../base/promises.ts'
import type { Decision } from '../check/decision.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Cost } from '../policy/cost.ts'
import { refuseDuplicates } from './policy-source.ts'
import { type Identity, isIdentity, kindOf, digestIn } from '../request/identity.ts'
import { lazyView } from '../request/to-view.ts'
import type { RequestView } from '../request/view.ts'
import type { Store } from '../store/contract.ts'
import { assembleLimiter, type LimiterParts, noteParts } from './assembly.ts'
import type { Calls } from '../reserve/calls.ts'
import { type CloseOptions, readFinish, type RateLimiterOptions } from './options.ts'
import { frozen } from './decider.ts'
import { type Reservation, readTtl, type ReserveOptions } from '../reserve/reserve-options.ts'
import { addUser, removeUser } from './store-users.ts'
import type { Wings } from '../charge/wings.ts'

/**
 * Decides requests by policies whose counters are in a store: the kernel of a limiter, without waiting, explanations and leases. `R` is
 * the framework's request type. `@halt/core/kernel` exports it as `RateLimiter`.
 *
 * @throws HaltError when an option or a policy is wrong. A request never throws; it always gets a decision.
 * @example
 * const limiter = new RateLimiter({ store: new InMemoryStore(), policy: presets.PUBLIC_API })
 * const decision = await limiter.check(request)
 */
export class Limiter<R = unknown> {
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
  readonly #wings: Wings
  readonly #parts: LimiterParts
  #calls: Calls | undefined
  #closing: Promise<void> | undefined

  constructor(options: RateLimiterOptions<R>, wings: Wings = NO_WINGS) {
    const parts = fromCaller(new.target, () => assembleLimiter(options, wings))
    this.store = options.store
    this.warn = parts.warn
    this.partitionOf = makePartitionOf(parts.callers.digest)
    this.#options = options
    this.#wings = wings
    this.#parts = parts
    noteParts(this, parts)
    addUser(this.store, this)
  }

  /** The options as they were given. */
  get options(): RateLimiterOptions<R> {
    return this.#options
  }

  /** @internal Makes a limiter of the same kind with other options. */
  withOptions(options: RateLimiterOptions<R>): Limiter<R> {
    return new Limiter(options, this.#wings)
  }

  /** The longest time that a callback may take, in milliseconds. */
  get callbackTimeout(): number {
    return this.#parts.numbers.callbackTimeout
  }

  /** A policy that this limiter has used, by name. */
  policyNamed(name: string): CompiledPolicy | undefined {
    return this.#parts.policies.named(name)
  }

  /**
   * Validates and compiles the policies that checks will give as `policy` and `also`, so that a mistake shows at start and not
   * in a request. `policy` defaults to the limiter's own policies.
   *
   * @throws HaltError with a code for the field that is wrong; `HALT_E_DUPLICATE_POLICY`
   */
  compile(policy?: CheckOptions<R>['policy'], also?: CheckOptions<R>['also']): readonly CompiledPolicy[] {
    const own = policy === undefined ? this.policies : this.#parts.policies.compile(policy)
    if (also === undefined) return own
    const all = [...own, ...this.#parts.policies.compile(also)]
    refuseDuplicates(all)
    return all
  }

  /** The fixed policies; empty with a resolver. */
  get policies(): readonly CompiledPolicy[] {
    return this.#parts.policies.fixed ?? []
  }

  /**
   * Decides a request, and charges it when it is allowed. An identity is treated as by {@link consume}.
   *
   * @param request any Node request, a Fetch `Request`, or a `RequestView`
   * @throws HaltError `HALT_E_COST`, `HALT_E_POLICY…` for a mistake in the call, never for the content of the request
   */
  check(request: (R & object) | RequestView, options: CheckOptions<R> = NO_OPTIONS): Promise<Decision> {
    // perf: bench "limiter.check(request)"; an async function would cost a fifth more.
    try {
      checkCallOptions(options)
      return Promise.resolve(
        isIdentityButNotIp(request)
          ? this.#parts.decider.identity(request, options)
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
    return this.#parts.decider.view(view, options)
  }

  /**
   * Returns the decision that {@link check} would give now, and charges nothing. For an identity, it covers the policies that
   * count requests under it or that {@link consume} has charged for it; `decision.unreachable` lists the others.
   *
   * @throws HaltError `HALT_E_IDENTITY_KIND` for an identity under which no policy counts; `HALT_E_POLICY_REQUIRED` for an
   * identity when the policies come from a resolver and none is given
   */
  async peek(target: R | RequestView | Identity, options: PeekOptions<R> = {}): Promise<Decision> {
    return this.#parts.peeker.peek(target, options)
  }

  /**
   * Charges every policy of the limiter for an identity, for work without a request: jobs, sockets, model calls.
   *
   * @throws HaltError `HALT_E_POLICY_REQUIRED` when the policies come from a resolver and none is given
   */
  consume(identity: Identity, options: Omit<CheckOptions<R>, 'ip'> = NO_OPTIONS): Promise<Decision> {
    try {
      checkCallOptions(options)
      return Promise.resolve(this.#parts.decider.identity(identity, options))
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
    await this.#parts.charges.settle(decision, actual)
  }

  /** The units that a decision charged, by policy name; empty when it charged nothing. Later settlements do not change it. */
  chargesOf(decision: Decision): ReadonlyMap<string, number> {
    return this.#parts.charges.chargesOf(decision)
  }

  /**
   * Charges or refunds a request, once the application has decided its response. `counts` is false when the request must not count: then the
   * whole charge is refunded. Otherwise the cost that a policy with `inFlight` holds is charged now. Works once per decision.
   * Adapters call it with the answer of `chargeWhen`.
   */
  async conclude(decision: Decision, counts: boolean | Promise<boolean>): Promise<void> {
    await this.#parts.charges.conclude(decision, counts)
  }

  /**
   * Ends a request in flight that a `concurrency` policy counts, and charges the cost that a policy with `inFlight` holds. Works
   * once per decision. Adapters call it when the response ends.
   */
  async release(decision: Decision): Promise<void> {
    await this.#parts.charges.release(decision)
  }

  /**
   * Charges an estimate in advance, or, with `ttl`, holds it. You `charge` what is used while the call runs, and `settle` or `cancel`
   * it in the end. Without `ttl` an estimate that is neither settled nor cancelled stays charged.
   *
   * @throws HaltError `HALT_E_TTL` where no quota could hold units, and as {@link check} and {@link consume}
   */
  async reserve(
    target: R | RequestView | Identity,
    { ttl, chunk, ...options }: ReserveOptions<R> = {},
  ): Promise<Reservation> {
    checkCallOptions(options)
    const hasResolver = this.#parts.policies.fixed === undefined && options.policy === undefined
    const policies = ttl === undefined || hasResolver ? undefined : this.compile(options.policy, options.also)
    const added = { ttl: readTtl({ ...options, ttl, chunk }, policies) }
    if (this.#calls === undefined) {
      const { Calls } = await import('../reserve/calls.ts')
      this.#calls ??= new Calls(this.#parts.calls)
    }
    const decision = await this.#parts.decider.target(target, options, added)
    return this.#calls.open(decision, options.cost, chunk)
  }

  /**
   * The digest that replaces an identity's id in keys, logs and metrics: always for an API key, and for other ids that are long
   * or ambiguous. 22 characters, without the `#` that precedes it there.
   *
   * @returns undefined when the id is shown as it is
   * @throws HaltError `HALT_E_IDENTITY`
   */
  digestOf(identity: Identity): string | undefined {
    return digestIn(this.#parts.callers.keys.subjectOf(identity))
  }

  /**
   * The key of an identity, as decisions, hooks and the entries of `Control` show it: `user:42`, `api-key:#…`.
   *
   * @throws HaltError `HALT_E_IDENTITY`
   */
  keyOf(identity: Identity): string {
    return this.#parts.callers.keys.subjectOf(identity)
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
  close(options: CloseOptions = {}): Promise<void> {
    try {
      const finish = readFinish(options)
      return (this.#closing ??= this.#close(finish))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** @internal Resolves when nothing is under way, as {@link close} does. The limiter stays open. */
  rest(): Promise<void> {
    return this.#parts.charges.rest()
  }

  async #close(finish: number): Promise<void> {
    await this.#parts.endings.run(finish)
    await this.#parts.charges.close()
    const { store } = this
    if (!removeUser(store, this) || store.close === undefined) return
    this.#parts.corrections.isStoreClosed = true
    await atMost(this.#parts.numbers.callbackTimeout, store.close())
  }
}

const NO_WINGS: Wings = Object.freeze({})

// `{ ip }` alone may be a `RequestView`, so it is treated as a request. A string is neither a request nor an identity here.
function isIdentityButNotIp(target: unknown): target is Identity {
  const mayBe = typeof target === 'object' && target !== null && !('method' in target)
  return mayBe && isIdentity(target) && kindOf(target) !== 'ip'
}
