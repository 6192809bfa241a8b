import { adviser } from '#misuse'

import type { Decision } from '../check/decision.ts'
import { type CheckOptions, NO_OPTIONS, type PeekOptions } from '../check/check-options.ts'
import type { Duration } from '../base/duration.ts'
import type { CounterReading } from '../inspect/counter-reading.ts'
import type { Explanation } from '../inspect/explanation.ts'
import { inspectionOf } from '../inspect/inspection.ts'
import { leases } from '../lease/lease-wing.ts'
import { Limiter } from '../limiter/limiter.ts'
import type { RateLimiterOptions } from '../limiter/options.ts'
import type { Wings } from '../charge/wings.ts'
import type { Identity } from '../request/identity.ts'
import type { RequestView } from '../request/view.ts'
import { resilience } from '../resilience/guarded-store.ts'
import { reporter } from '../telemetry/reporter.ts'
import type { AcquireOptions } from '../waiting/acquire-options.ts'
import type { LineStatus } from '../waiting/lines.ts'
import { type Queue, queue } from '../waiting/queue.ts'

const WINGS: Wings = Object.freeze({ evaluator: resilience, leases, witness: reporter, adviser })

/**
 * Decides requests by policies whose counters are in a store. `R` is the framework's request type.
 *
 * @throws HaltError when an option or a policy is wrong. A request never throws; it always gets a decision.
 * @example
 * const limiter = new RateLimiter({ store: new InMemoryStore(), policy: presets.PUBLIC_API })
 * const decision = await limiter.check(request)
 */
export class RateLimiter<R = unknown> extends Limiter<R> {
  readonly #queue: Queue<R>

  constructor(options: RateLimiterOptions<R>) {
    super(options, WINGS)
    this.#queue = queue(this)
  }

  /** @internal */
  override withOptions(options: RateLimiterOptions<R>): RateLimiter<R> {
    return new RateLimiter(options)
  }

  /** How many callers of this process wait for their turn. */
  get waiting(): number {
    return this.#queue.waiting
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
    return this.#queue.acquire(target, options)
  }

  /**
   * Waits for one's turn as {@link acquire} does, then runs a function, and ends its request in flight when it has settled.
   *
   * @throws LimitedError `HALT_E_LIMITED` when the caller is refused; the function's own error; and as {@link acquire}
   */
  run<T>(
    target: R | RequestView | Identity,
    work: (decision: Decision) => T | Promise<T>,
    options: AcquireOptions<R> = NO_OPTIONS,
  ): Promise<T> {
    return this.#queue.run(target, work, options)
  }

  /** @internal As {@link acquire} for a view and the options of an adapter. */
  acquireView(
    view: RequestView,
    options: CheckOptions<R> & Pick<AcquireOptions, 'maxWait' | 'signal'>,
  ): Decision | Promise<Decision> {
    return this.#queue.acquireView(view, options)
  }

  /**
   * Tells of the line in which callers of an identity wait, and charges nothing: of all processes as far as the store knows, and how
   * many callers of this one. One call of the store.
   *
   * @param options `policy`: the policies, by default all of the limiter
   * @throws HaltError `HALT_E_IDENTITY`; `HALT_E_POLICY_REQUIRED` as {@link consume}
   */
  line(identity: Identity, options: Pick<PeekOptions<R>, 'policy'> = NO_OPTIONS): Promise<LineStatus> {
    return this.#queue.line(identity, options)
  }

  /**
   * Resolves when no caller of this process asks or waits for a turn by this limiter: of an identity, or at all. Callers that come
   * meanwhile are awaited as well. Work that {@link run} has begun is not.
   *
   * @throws HaltError `HALT_E_IDENTITY`
   */
  idle(identity?: Identity): Promise<void> {
    return this.#queue.idle(identity)
  }

  /**
   * Refuses an identity for some time, in every process: by a cool-down of the counters that {@link consume} charges for it, other
   * than quotas. A longer cool-down stays. The lines of these counters freeze, and go on where they were; nobody
   * asks again.
   *
   * @param options `for`: how long, from 1 ms to 366 days; `policy`: the policies, by default all of the limiter
   * @throws HaltError `HALT_E_DURATION`; `HALT_E_STORE`; `HALT_E_POLICY_REQUIRED` as {@link consume}
   */
  pause(
    identity: Identity,
    options: { readonly for: Duration; readonly policy?: CheckOptions<R>['policy'] },
  ): Promise<void> {
    return this.#queue.pause(identity, options)
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
    return inspectionOf(this).counterReset.reset(target, policy)
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
    return inspectionOf(this).inspector.explain(target, options)
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
    return inspectionOf(this).inspector.inspect(target, options)
  }
}
