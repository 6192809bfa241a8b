import { type Cost, WHOLE_LIMIT } from '../cost.ts'
import type { Decision } from '../decision.ts'
import type { RateLimiter } from '../limiter.ts'
import { headerWriter } from './headers.ts'
import { type Outcome, type Refuse, refuser } from './outcome.ts'

type Price = Cost | typeof WHOLE_LIMIT | undefined

interface Visit {
  readonly limiter: Pick<RateLimiter<never>, 'store'>
  readonly policy: unknown
  readonly also: unknown
  readonly cost: Price
  readonly decision: Decision
  readonly refuse: Refuse
}

// On the request itself: a WeakMap would cost as much as the whole check. `for`: copies of the package share it.
// Assigned: to define a property takes a tenth of the whole check.
const VISITS = Symbol.for('halt.visits')

interface Visited {
  [VISITS]?: Visit[]
}

/**
 * Where the visits of a request are noted: on an object that lives as long, and takes a property cheaply.
 *
 * Of a request of Node's its list of raw headers: Express gives each request a prototype of its own, and a new property on
 * such an object takes longer than a whole check.
 */
export function placeOf(request: object): object {
  const { rawHeaders } = request as { readonly rawHeaders?: unknown }
  return Array.isArray(rawHeaders) ? rawHeaders : request
}

/** Remembers on an HTTP request which limiters have charged it, and which headers are the tightest so far. */
export class Visits<R> {
  readonly #limiter: RateLimiter<R>
  readonly #refuse: Refuse
  readonly #also: unknown
  readonly #beside: readonly string[]

  /**
   * @param refuse how the guard that makes the visits refuses
   * @param also the policies it charges beside those that another guard of this limiter may have charged
   */
  constructor(limiter: RateLimiter<R>, refuse: Refuse, also?: unknown) {
    this.#limiter = limiter
    this.#refuse = refuse
    this.#also = also
    this.#beside = also === undefined ? [] : [also as { name: string }].flat().map(({ name }) => name)
  }

  /** What is still to be charged: all of it, the difference to an earlier and cheaper pass, or (a decision) nothing. */
  of(
    visitor: object | undefined,
    policy: unknown,
    cost: Price,
  ): { readonly cost: Price; readonly decision: Decision | undefined } {
    const earlier =
      visitor === undefined
        ? undefined
        : listOf(visitor)?.findLast(visit => visit.limiter === this.#limiter && visit.policy === policy)
    if (earlier === undefined) return { cost, decision: undefined }
    const more = this.#difference(cost, earlier)
    if (more === undefined) this.#noticeTwice(earlier.decision)
    return more === undefined ? { cost, decision: earlier.decision } : { cost: more, decision: undefined }
  }

  /** Whether the limiter's store has failed the request at an earlier guard. */
  storeFailed(visitor: object | undefined): boolean {
    const list = visitor === undefined ? undefined : listOf(visitor)
    if (list === undefined) return false
    const { store } = this.#limiter
    return list.some(({ decision, limiter }) => decision.degraded !== false && limiter.store === store)
  }

  /** Notes a charge; true when its headers are tighter than any before. */
  note(visitor: object | undefined, policy: unknown, cost: Price, decision: Decision): boolean {
    if (visitor === undefined) return true
    const list = listOf(visitor)
    const visit: Visit = {
      limiter: this.#limiter,
      policy,
      also: this.#also,
      cost,
      decision,
      refuse: this.#refuse,
    }
    if (list === undefined) {
      ;(visitor as Visited)[VISITS] = [visit]
      return true
    }
    const isTightest = list.every(other => !isTighter(other.decision, decision))
    list.push(visit)
    return isTightest
  }

  #noticeTwice({ policy }: Decision): void {
    this.#limiter.warn({
      code: 'HALT_W_LIMITER_TWICE',
      message: `One limiter ("${policy}") stands twice in the way of a request; it was charged once.`,
      fix: 'Mount it once; for another limit on a route build another limiter, with a policy of its own.',
    })
  }

  // By policy: a number stands for every policy, nothing for each policy's own cost.
  #difference(now: Price, { cost: before, decision, also }: Visit): Price | undefined {
    const adds = this.#also !== undefined && this.#also !== also
    if (now === before && !adds) return undefined
    if (now === WHOLE_LIMIT || before === WHOLE_LIMIT)
      return before === WHOLE_LIMIT && !adds ? undefined : now
    const more: Record<string, number> = {}
    let any = adds
    if (adds)
      for (const name of this.#beside)
        more[name] = units(now, name, this.#limiter.policyNamed(name)?.cost ?? 1)
    for (const { policy: name } of decision.verdicts) {
      const own = this.#limiter.policyNamed(name)?.cost ?? 1
      const extra = Math.max(0, units(now, name, own) - units(before, name, own))
      more[name] = extra
      any ||= extra > 0
    }
    return any ? more : undefined
  }
}

function units(cost: Cost | undefined, name: string, own: number): number {
  if (typeof cost === 'number') return cost
  return cost !== undefined && Object.hasOwn(cost, name) ? (cost[name] as number) : own
}

/**
 * The refusal of a decision that a handler made by itself: as the guard that decided the request last writes it, else in
 * the default format.
 *
 * @param visitor what `Guard.enter` got
 */
export function refusalFor(visitor: object, decision: Decision): Outcome {
  const refuse = listOf(placeOf(visitor))?.at(-1)?.refuse ?? refuseByDefault
  return refuse(decision)
}

const refuseByDefault: Refuse = refuser(
  headerWriter('standard', { policyNamed: () => undefined, warn: () => {} }),
  {},
)

function listOf(visitor: object): Visit[] | undefined {
  return (visitor as Visited)[VISITS]
}

function isTighter(a: Decision, b: Decision): boolean {
  if (a.reason === 'exempt' || b.reason === 'exempt') return b.reason === 'exempt'
  return a.remaining * b.limit < b.remaining * a.limit
}
