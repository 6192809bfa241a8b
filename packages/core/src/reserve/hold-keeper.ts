import { algorithmOf, type Rule } from '../algorithms/index.ts'
import { afterQuietly, eventLoop, outlivesRequest, type Timer } from '../base/event-loop.ts'
import type { Warn } from '../base/warnings.ts'
import { type Reference, referTo } from '../base/weak-list.ts'
import type { Evaluator } from '../check/evaluator.ts'
import { claimOf, type Holding } from '../check/holding.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import type { Evaluation } from '../store/evaluation.ts'

/** A call whose holdings are kept. */
export interface Owner {
  /** Hears that the units of a holding are lost: their time was over, and they did not fit again. */
  lose(holding: Holding): void
}

/** A holding that is kept, and what is under way about it. */
interface Kept {
  readonly holding: Holding
  /** The call. Weak, because a call that nobody can settle any more must not hold units for ever. */
  readonly owner: Reference<Owner>
  /** When the units were held last, by the process's clock in microseconds. */
  since: number
  /** Set while the store is asked to hold the units longer. */
  moving: Promise<void> | undefined
  /** Whether the call pays from its units now. */
  isPaying: boolean
}

/** The most holdings that are looked at in one turn of the event loop. */
const SLICE = 500

/** The holdings of one length, and the timer that keeps them. */
interface Length {
  readonly ttl: number
  readonly kept: Map<Holding, Kept>
  timer: Timer | number | undefined
}

/**
 * Keeps the units held that the open calls of this process hold, a third of their time after they were held last. The units of a
 * counter that end at one instant are held longer by one call of the store for each 500 calls that hold them.
 */
export class HoldKeeper {
  readonly #evaluator: Evaluator
  readonly #warn: Warn
  readonly #ruleOf: (holding: Holding) => Rule
  readonly #lengths = new Map<number, Length>()
  #isClosed = false
  // On Workers a timer ends with the request that started it. There each holding has its own.
  #isShared = true

  /** @param ruleOf the rule of a holding's counter with the numbers of this moment */
  constructor(evaluator: Evaluator, warn: Warn, ruleOf: (holding: Holding) => Rule) {
    this.#evaluator = evaluator
    this.#warn = warn
    this.#ruleOf = ruleOf
  }

  /** Begins to keep a holding. */
  add(holding: Holding, owner: Owner): void {
    if (this.#isClosed) return
    const ttl = ttlOf(holding)
    let length = this.#lengths.get(ttl)
    if (length === undefined) this.#lengths.set(ttl, (length = { ttl, kept: new Map(), timer: undefined }))
    const since = this.#evaluator.ownTime()
    length.kept.set(holding, { holding, owner: referTo(owner), since, moving: undefined, isPaying: false })
    if (this.#isShared) this.#arm(length)
    if (!this.#isShared) this.#armAlone(length, holding)
  }

  /** Ends the keeping of a holding. Returns a promise if it is being moved now, which resolves when it is known where it is. */
  remove(holding: Holding): Promise<void> | undefined {
    const length = this.#lengths.get(ttlOf(holding))
    const kept = length?.kept.get(holding)
    if (length === undefined || kept === undefined) return undefined
    length.kept.delete(holding)
    if (length.kept.size === 0) this.#drop(length)
    return kept.moving
  }

  /** Lets a holding stay where it is until {@link HoldKeeper.release}. Returns a promise if it is being moved now, as `remove` does. */
  seize(holding: Holding): Promise<void> | undefined {
    const kept = this.#find(holding)
    if (kept !== undefined) kept.isPaying = true
    return kept?.moving
  }

  /** Lets a holding be held longer again. */
  release(holding: Holding): void {
    const kept = this.#find(holding)
    if (kept !== undefined) kept.isPaying = false
  }

  /** Keeps nothing any more. What is held is free again when its time is over. A call that ends still learns where its units are. */
  close(): void {
    this.#isClosed = true
    for (const length of this.#lengths.values()) this.#disarm(length)
  }

  #find(holding: Holding): Kept | undefined {
    return this.#lengths.get(ttlOf(holding))?.kept.get(holding)
  }

  #arm(length: Length): void {
    if (length.timer !== undefined || this.#isClosed) return
    if (length.kept.size === 0) return this.#drop(length)
    length.timer = afterQuietly(length.ttl / 3000, () => this.#keepAll(length, length.kept.values()))
    if (outlivesRequest(length.timer)) return
    this.#isShared = false
    this.#disarm(length)
  }

  /** Keeps all holdings of a length, a slice in each turn of the event loop. */
  #keepAll(length: Length, rest: Iterator<Kept>): void {
    const slice: Kept[] = []
    for (let next = rest.next(); !next.done; next = rest.next()) if (slice.push(next.value) === SLICE) break
    this.#keep(length, slice)
    if (this.#isClosed) return
    if (slice.length === SLICE) return eventLoop.afterRead(() => this.#keepAll(length, rest))
    length.timer = undefined
    this.#arm(length)
  }

  #drop(length: Length): void {
    this.#disarm(length)
    if (this.#lengths.get(length.ttl) === length) this.#lengths.delete(length.ttl)
  }

  /** Keeps a holding by a timer of the request that reserved it. */
  #armAlone(length: Length, holding: Holding): void {
    afterQuietly(length.ttl / 3000, () => {
      const kept = length.kept.get(holding)
      if (kept === undefined || this.#isClosed) return
      this.#keep(length, [kept])
      this.#armAlone(length, holding)
    })
  }

  #disarm(length: Length): void {
    if (length.timer !== undefined) eventLoop.cancel(length.timer)
    length.timer = undefined
  }

  /** Holds the units longer that were held last a third of their time ago. */
  #keep({ ttl, kept }: Length, candidates: readonly Kept[]): void {
    const now = this.#evaluator.ownTime()
    const groups = new Map<string, Kept[]>()
    for (const one of candidates) {
      const { holding, owner, since, moving, isPaying } = one
      if (owner.deref() === undefined) {
        kept.delete(holding)
        this.#noticeForgotten(holding)
        continue
      }
      // A timer may fire a little early by another clock.
      if (holding.held === 0 || isPaying || moving !== undefined || now - since < ttl / 3 - 50_000) continue
      const key = `${keyOfDemand(holding.demand)} ${holding.to}`
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [one])
      else group.push(one)
    }
    for (const group of groups.values()) this.#hold(group, ttl, now)
  }

  /** Holds the units of some holdings longer, which end at one instant of one counter. */
  #hold(group: readonly Kept[], ttl: number, sent: number): void {
    const [{ holding: first }] = group as [Kept]
    const { subject, mode } = first.demand
    const rule = this.#ruleOf(first)
    const units = group.reduce((sum, { holding }) => sum + holding.held, 0)
    const claim = claimOf(first)
    const held = claim && { ...claim, units }
    const edges = first.policy.edges(this.#evaluator.clock.now())
    // If not all units are left, some calls keep theirs. Units that may still be held unknown to this process need no second place.
    const least = group.length > 1 && first.to > 0 ? 1 : undefined
    const terms = { keptFor: ttl, held, least }
    const demand = { rule, subject, cost: units, mode, edges, penalized: false, terms }
    let settle = (): void => {}
    // An answer that comes late tells where the units are, unless the store was asked again.
    const isAbout = ({ moving: own, holding }: Kept): boolean =>
      own === moving || (own === undefined && holding.to === 0)
    const heard = (evaluation: Evaluation | undefined, mayBeApplied = false): void => {
      if (evaluation === undefined) {
        // Nobody knows whether the store has moved the units.
        if (mayBeApplied) for (const { holding } of group) holding.to = 0
      } else
        this.#heard(
          group.filter(one => isAbout(one)),
          evaluation,
          ttl,
          sent,
        )
      for (const one of group) if (one.moving === moving) one.moving = undefined
      settle()
    }
    const moving = new Promise<void>(resolve => {
      settle = resolve
    })
    for (const one of group) one.moving = moving
    this.#evaluator.ask({ demands: [demand] }, heard)
  }

  #noticeForgotten({ policy }: Holding): void {
    this.#warn({
      code: 'HALT_W_NEVER_SETTLED',
      message: `A call that held units of "${policy.name}" was neither settled nor cancelled, and your code has forgotten it. Its units are free again soon.`,
      fix: 'Settle or cancel each call in a finally block.',
    })
  }

  #heard(
    group: readonly Kept[],
    { now, passes, states, grants }: Evaluation,
    ttl: number,
    sent: number,
  ): void {
    const [isHeld] = passes
    let left = isHeld === true ? (grants?.[0] ?? Number.POSITIVE_INFINITY) : 0
    for (const one of group) {
      const { holding, owner } = one
      // Its units may still be held where nobody knows of them, up to a quarter longer than their time. They have no room twice.
      if (isHeld !== true && holding.to === 0 && sent - one.since < (ttl * 5) / 4) continue
      const end = algorithmOf(holding.demand.rule).holds?.end(states[0] ?? [], now, ttl) ?? 0
      const isLost = left < holding.held
      if (isLost) holding.held = left
      left -= holding.held
      holding.to = holding.held > 0 ? end : 0
      one.since = sent
      if (isLost) owner.deref()?.lose(holding)
    }
  }
}

function ttlOf({ demand }: Holding): number {
  return demand.terms?.keptFor ?? 0
}
