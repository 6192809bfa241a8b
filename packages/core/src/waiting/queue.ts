import { noticeFullBucket } from '#misuse'
import { keptIn } from '../base/bounded-memory.ts'
import { type Duration, parseDuration } from '../base/duration.ts'
import { describe } from '../base/errors.ts'
import { checkNames, fail } from '../base/options-check.ts'
import {
  PEEK_COUNTERS,
  type CheckOptions,
  checkPeekOptions,
  NO_OPTIONS,
  type PeekOptions,
} from '../check/check-options.ts'
import type { QueuedCaller } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import { type LimiterParts, partsOf } from '../limiter/assembly.ts'
import { frozen } from '../limiter/decider.ts'
import { keyOfIdentity } from '../limiter/plan.ts'
import type { Identity } from '../request/identity.ts'
import type { RequestView } from '../request/view.ts'
import { type Store, type Demand, Mode } from '../store/contract.ts'
import { type AcquireOptions, checkAcquireOptions } from './acquire-options.ts'
import { LimitedError } from './limited-error.ts'
import { type LineStatus, longestLine, linesOf } from './lines.ts'
import type { Decide } from './waiter-parts.ts'
import { Waiters } from './waiters.ts'

/** A pause without an end ends by itself after this time. */
const LONGEST: Duration = '366d'

/** Lets callers of a limiter wait for their turn. {@link queue} makes it. */
export class Queue<R = unknown> {
  readonly #parts: LimiterParts
  readonly #waiters: Waiters

  /** @internal */
  constructor(limiter: { readonly store: Store }) {
    const parts = partsOf(limiter)
    const lines = linesOf(limiter.store)
    this.#parts = parts
    this.#waiters = new Waiters(parts, lines)
    parts.corrections.listener = lines
    parts.endings.add(async finish => this.#waiters.close(finish))
  }

  /** How many callers of this process wait for their turn. */
  get waiting(): number {
    return this.#waiters.size
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
      noticeFullBucket(this.#parts.policies.fixed ?? [], this.#parts.warn)
      const { maxWait, signal, ...rest } = options
      const given = Object.keys(rest).length === 0 ? NO_OPTIONS : rest
      return Promise.resolve(this.#waiters.acquire(this.#asking(target, given), { maxWait, signal }))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Asks for a target. Thousands of callers may wait, and each keeps this function, so it refers to nothing else. */
  #asking(target: R | RequestView | Identity, options: CheckOptions<R>): Decide {
    return queued => this.#parts.decider.target(target, options, queued && { queued })
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
      await this.#parts.charges.release(decision)
    }
  }

  /** @internal As {@link acquire} for a view and the options of an adapter. */
  acquireView(
    view: RequestView,
    { maxWait, signal, ...options }: CheckOptions<R> & Pick<AcquireOptions, 'maxWait' | 'signal'>,
  ): Decision | Promise<Decision> {
    const ask = (queued: QueuedCaller | undefined): Decision | Promise<Decision> =>
      frozen(this.#parts.decider.view(view, options, queued && { queued }))
    return this.#waiters.acquire(ask, { maxWait, signal })
  }

  /**
   * Tells of the line in which callers of an identity wait, and charges nothing: of all processes as far as the store knows, and how
   * many callers of this one. One call of the store.
   *
   * @param options `policy`: the policies, by default all of the limiter
   * @throws HaltError `HALT_E_IDENTITY`; `HALT_E_POLICY_REQUIRED` as {@link consume}
   */
  async line(identity: Identity, options: Pick<PeekOptions<R>, 'policy'> = NO_OPTIONS): Promise<LineStatus> {
    checkPeekOptions(options)
    const {
      peeker,
      evaluator,
      callers: { keys },
    } = this.#parts
    const subject = keys.subjectOf(identity)
    // Operators may block the client, and its line is there all the same.
    const { decision } = await peeker.identity(identity, options, PEEK_COUNTERS)
    const callers = this.#waiters.waitingOf(subject)
    const line = longestLine(decision)
    if (line !== undefined)
      return { units: line.units, callers: callers.length, lastStartsInMs: Math.ceil(line.micros / 1000) }
    const last = Math.max(0, ...callers.map(({ startsAt = Infinity }) => startsAt - evaluator.ownTime()))
    return {
      units: callers.reduce((sum, { most }) => sum + most, 0),
      callers: callers.length,
      lastStartsInMs: last === Infinity ? undefined : Math.ceil(last / 1000),
    }
  }

  /**
   * Resolves when no caller of this process asks or waits for a turn by this limiter: of an identity, or at all. Callers that come
   * meanwhile are awaited as well. Work that {@link run} has begun is not.
   *
   * @throws HaltError `HALT_E_IDENTITY`
   */
  async idle(identity?: Identity): Promise<void> {
    await this.#waiters.idle(
      identity === undefined ? undefined : this.#parts.callers.keys.subjectOf(identity),
    )
  }

  /**
   * Refuses an identity until {@link resume}, or for some time, in every process: by a cool-down of the counters that {@link consume}
   * charges for it, other than quotas. It forgets no count, and a longer cool-down stays. The lines of these counters freeze, and go on
   * where they were; nobody asks again.
   *
   * @param options `for`: how long, from 1 ms to 366 days, by default the longest; `policy`: the policies, by default all of the limiter
   * @throws HaltError `HALT_E_DURATION`; `HALT_E_STORE`; `HALT_E_POLICY_REQUIRED` as {@link consume}
   */
  async pause(
    identity: Identity,
    options: { readonly for?: Duration; readonly policy?: CheckOptions<R>['policy'] } = NO_OPTIONS,
  ): Promise<void> {
    checkNames(options, ['for', 'policy'], 'pause()')
    const { for: duration = LONGEST, policy } = options
    await this.#cool(identity, policy, parseDuration(duration, 'for'))
  }

  /**
   * Ends the pause of an identity, and every other cool-down of the counters that {@link consume} charges for it, in every process: at
   * once in this one, in others within a second. It forgets no count. Callers that wait go on in their order.
   *
   * @param options `policy`: the policies, by default all of the limiter
   * @throws HaltError `HALT_E_STORE`; `HALT_E_POLICY_REQUIRED` as {@link consume}
   */
  async resume(
    identity: Identity,
    options: { readonly policy?: CheckOptions<R>['policy'] } = NO_OPTIONS,
  ): Promise<void> {
    checkNames(options, ['policy'], 'resume()')
    await this.#cool(identity, options.policy, 0)
  }

  /** Gives the counters of an identity a cool-down, in microseconds; one of 0 ends it. Quotas are left out. */
  async #cool(identity: Identity, policy: CheckOptions<R>['policy'], cooldown: number): Promise<void> {
    const policies = this.#parts.policies.forIdentity({ policy })
    const client = this.#parts.callers.keys.subjectOf(identity)
    const demands = policies
      .filter(({ off, calendar }) => !off && calendar === undefined)
      .map((policy): Demand => {
        const rule = { ...policy.rule(undefined), cooldown, reduced: undefined }
        const { subject } = keyOfIdentity(client, policy)
        return { rule, subject, cost: 0, mode: Mode.BLOCK, penalized: false }
      })
    if (demands.length > 0) await this.#parts.corrections.apply({ demands })
  }
}

const queues = new WeakMap<object, Queue<never>>()

/** The queue of a limiter, in which callers wait for their turn. A limiter has one. */
export function queue<R>(limiter: { readonly store: Store }): Queue<R> {
  return keptIn(queues, limiter, () => new Queue<never>(limiter)) as unknown as Queue<R>
}
