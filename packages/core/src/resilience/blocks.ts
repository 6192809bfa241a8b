import { within } from '../base/promises.ts'
import { BoundedMap } from '../base/bounded-memory.ts'
import { nowMicros } from '../base/event-loop.ts'
import { capabilitiesOf, type StoreCapabilities } from '../store/capabilities.ts'
import { checkedEvaluate, type Evaluate } from '../store/evaluation-check.ts'
import {
  type Demand,
  type Group,
  Mode,
  type PenaltyDemand,
  PenaltyMode,
  type Store,
  type StoreMark,
} from '../store/contract.ts'
import { keyOf, keyOfDemand } from '../store/counter-key.ts'
import { PENALTY_COUNTER } from '../store/beside-demands.ts'
import { nextTurn, settled, SLICE } from './pending-corrections.ts'
import { StoreTimeout } from './circuit-breaker.ts'

const MAX_BLOCKS = 10_000
const READ_MS = 1_000
const RETRY_MICROS = 500_000

/** What a cool-down or a penalty is of. */
type Blocked = Demand | PenaltyDemand

/** A cool-down of a counter, or a penalty. */
interface Block {
  readonly of: Blocked
  readonly mark: StoreMark
  /** Its end by this process's clock, in microseconds. */
  readonly until: number
}

/**
 * The cool-downs and penalties of a store that this process knows. Bounded.
 *
 * Whether the store has lost them is decided once for each of its nodes, by the node's mark, and never by a counter: another process may
 * have ended a block. The mark is read again after a reconnection, and when the store says that a block is over before its time. If it is
 * the one that was there before, nothing was lost. Otherwise the node gets back what it blocked, and its other counters start afresh.
 */
export class Blocks {
  readonly #can: StoreCapabilities
  readonly #evaluate: Evaluate
  readonly #blocks = new BoundedMap<Block>(MAX_BLOCKS)
  // What each mark was when it was read last; undefined while it is read for the first time.
  readonly #texts = new Map<StoreMark, string | undefined>()
  // Blocks of which the store has said that they are over. Either somebody has ended them, or they were lost.
  readonly #denied = new Map<string, Block>()
  // The marks that must be read again, with the number of the doubt.
  readonly #doubts = new Map<StoreMark, number>()
  #doubt = 0
  readonly #checks = new Map<StoreMark, Promise<void>>()
  #checkedAt = 0

  constructor(store: Store) {
    this.#can = capabilitiesOf(store)
    this.#evaluate = checkedEvaluate(store)
  }

  /** Notes what the store told of a counter or a penalty. @param until the end of its block; at most `now` if it has none */
  note(of: Blocked, until: number, now: number): void {
    if (until > now) return this.#set(of, until)
    if (this.#blocks.size === 0) return
    const name = nameOf(of)
    const block = this.#blocks.get(name)
    if (block === undefined) return
    if (block.until <= now) return this.#blocks.delete(name)
    this.#denied.set(name, block)
    this.#doubts.set(block.mark, ++this.#doubt)
    this.#check(block.mark).catch(() => {})
  }

  /** Forgets a counter that was reset. */
  delete(subject: string, counter: string): void {
    if (this.#blocks.size > 0) this.#blocks.delete(keyOf(subject, counter))
  }

  /** Whether the store may have lost a block that a group is under. Not even one request may pass until that is known. */
  mayBeLost({ demands, penalty }: Group): boolean {
    if (this.#doubts.size === 0) return false
    if (nowMicros() - this.#checkedAt > RETRY_MICROS) this.#checkAll().catch(() => {})
    return (
      demands.some(demand => this.#isInDoubt(demand)) || (penalty !== undefined && this.#isInDoubt(penalty))
    )
  }

  /** Reads the marks of all blocks again, and restores what was lost. Rejects if no node could be asked. */
  async recheck(): Promise<void> {
    const now = nowMicros()
    this.#doubt++
    for (const [name, { until, mark }] of this.#blocks)
      if (until <= now) this.#blocks.delete(name)
      else this.#doubts.set(mark, this.#doubt)
    await this.#checkAll()
  }

  #checkAll(): Promise<void> {
    return settled([...this.#doubts.keys()].map(mark => this.#check(mark)))
  }

  #set(of: Blocked, until: number): void {
    const mark = this.#can.mark(of.subject)
    // A store without marks never loses its counters.
    if (mark === undefined) return
    this.#blocks.set(nameOf(of), { of, mark, until })
    if (this.#texts.has(mark)) return
    if (this.#texts.size === 0) this.#can.onReconnect(() => void this.recheck().catch(() => {}))
    this.#texts.set(mark, undefined)
    this.#check(mark).catch(() => {
      if (this.#texts.get(mark) === undefined) this.#texts.delete(mark)
    })
  }

  #isInDoubt(of: Blocked): boolean {
    const name = nameOf(of)
    const block = this.#blocks.get(name)
    return (
      block !== undefined &&
      block.until > nowMicros() &&
      this.#doubts.has(block.mark) &&
      !this.#denied.has(name)
    )
  }

  #check(mark: StoreMark): Promise<void> {
    const check = this.#checks.get(mark) ?? this.#checkNow(mark)
    this.#checks.set(mark, check)
    return check
  }

  async #checkNow(mark: StoreMark): Promise<void> {
    let doubt: number | undefined
    try {
      do {
        doubt = this.#doubts.get(mark)
        await this.#compare(mark)
        // After a later doubt the mark must be read once more.
      } while (this.#doubts.get(mark) !== doubt)
      this.#doubts.delete(mark)
    } finally {
      this.#checks.delete(mark)
    }
  }

  async #compare(mark: StoreMark): Promise<void> {
    const denied = [...this.#denied].filter(([, block]) => block.mark === mark)
    this.#checkedAt = nowMicros()
    const text = await within(mark.read(), READ_MS, () => new StoreTimeout(READ_MS))
    const before = this.#texts.get(mark) ?? text
    if (before !== text) await this.#restore(mark)
    this.#texts.set(mark, text)
    for (const [name, block] of denied) {
      this.#denied.delete(name)
      if (before === text && this.#blocks.get(name) === block) this.#blocks.delete(name)
    }
  }

  async #restore(mark: StoreMark): Promise<void> {
    const lost = [...this.#blocks].filter(([, block]) => block.mark === mark)
    for (let at = 0; at < lost.length; at += SLICE) {
      if (at > 0) await nextTurn()
      const now = nowMicros()
      const slice = lost.slice(at, at + SLICE)
      // A block may have ended meanwhile, or been reset.
      const known = slice.filter(([name, block]) => this.#blocks.get(name) === block && block.until > now)
      await Promise.all(known.map(async ([, { of, until }]) => this.#evaluate(restoration(of, until - now))))
    }
  }
}

function nameOf(of: Blocked): string {
  return 'cost' in of ? keyOfDemand(of) : keyOf(of.subject, PENALTY_COUNTER)
}

/** The group that blocks again for a time, in microseconds. A block that ends later stays. */
function restoration(of: Blocked, left: number): Group {
  if (!('cost' in of)) return { demands: [], penalty: { ...of, mode: PenaltyMode.APPLY, amount: left } }
  const rule = { ...of.rule, cooldown: left, reduced: undefined }
  return { demands: [{ ...of, rule, mode: Mode.BLOCK, cost: 0, penalized: false, terms: undefined }] }
}
