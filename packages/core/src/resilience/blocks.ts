import { within } from '../base/timers.ts'
import { BoundedMap } from '../base/bounded-map.ts'
import { nowMicros } from '../base/process-clock.ts'
import { capabilitiesOf, type StoreCapabilities } from '../store/capabilities.ts'
import { checkedEvaluate, type Evaluate } from '../store/checked-evaluate.ts'
import {
  type Demand,
  type Group,
  Mode,
  type PenaltyDemand,
  PenaltyMode,
  type Store,
} from '../store/contract.ts'
import { keyOf, keyOfDemand } from '../store/counter-key.ts'
import type { StoreMark } from '../store/contract.ts'
import { PENALTY_COUNTER } from '../store/penalty-step.ts'
import { nextTurn, settled, SLICE } from './slices.ts'
import { StoreTimeout } from './store-failure.ts'

const MAX_BLOCKS = 10_000
const READ_MS = 1_000
const RETRY_MICROS = 500_000

/** A cool-down of a counter, or a penalty. */
interface Block {
  readonly of: Demand | PenaltyDemand
  readonly mark: StoreMark
  /** Its end by this process's clock, in microseconds. */
  readonly until: number
}

/**
 * The cool-downs and penalties of a store that this process knows. Bounded.
 *
 * Whether the store has lost them is decided once for each of its nodes, by the node's mark, and never by a counter: another process may
 * have ended a block. After a reconnection the mark is read again. If it is the one that was there before, nothing was lost. Otherwise
 * the node gets back what it blocked, and its other counters start afresh.
 */
export class Blocks {
  readonly #store: Store
  readonly #can: StoreCapabilities
  readonly #evaluate: Evaluate
  readonly #blocks = new BoundedMap<Block>(MAX_BLOCKS)
  // What each mark was when it was read last; undefined while it is read for the first time.
  readonly #texts = new Map<StoreMark, string | undefined>()
  // The marks that must be read again, with the number of the reconnection.
  readonly #doubts = new Map<StoreMark, number>()
  #reconnections = 0
  #checking: Promise<void> | undefined
  #checkedAt = 0

  constructor(store: Store) {
    this.#store = store
    this.#can = capabilitiesOf(store)
    this.#evaluate = checkedEvaluate(store)
  }

  /** Notes what the store told of a counter or a penalty. @param until the end of its block; at most `now` if it has none */
  note(of: Demand | PenaltyDemand, until: number, now: number): void {
    if (until > now) this.#set(of, until)
    else if (this.#blocks.size > 0) this.#blocks.delete(nameOf(of))
  }

  /** Forgets a counter that was reset. */
  delete(subject: string, counter: string): void {
    if (this.#blocks.size > 0) this.#blocks.delete(keyOf(subject, counter))
  }

  /** Whether the store may have lost a block that a group is under. Not even one request may pass until that is known. */
  mayBeLost({ demands, penalty }: Group): boolean {
    if (this.#doubts.size === 0) return false
    if (nowMicros() - this.#checkedAt > RETRY_MICROS) this.#check().catch(() => {})
    return (
      demands.some(demand => this.#isInDoubt(demand)) || (penalty !== undefined && this.#isInDoubt(penalty))
    )
  }

  /** Reads the marks of all blocks again, and restores what was lost. Rejects if no node could be asked. */
  async recheck(): Promise<void> {
    const now = nowMicros()
    this.#reconnections++
    for (const [name, { until, mark }] of this.#blocks)
      if (until <= now) this.#blocks.delete(name)
      else this.#doubts.set(mark, this.#reconnections)
    if (this.#doubts.size > 0) await this.#check()
  }

  #set(of: Demand | PenaltyDemand, until: number): void {
    const mark = this.#can.mark(of.subject)
    // A store without marks never loses its counters.
    if (mark === undefined) return
    this.#blocks.set(nameOf(of), { of, mark, until })
    if (this.#texts.has(mark)) return
    if (this.#texts.size === 0) this.#can.onReconnect(() => void this.recheck().catch(() => {}))
    void this.#learn(mark)
  }

  async #learn(mark: StoreMark): Promise<void> {
    this.#texts.set(mark, undefined)
    try {
      const text = await mark.read()
      if (this.#texts.get(mark) === undefined) this.#texts.set(mark, text)
    } catch {
      if (this.#texts.get(mark) === undefined) this.#texts.delete(mark)
    }
  }

  #isInDoubt(of: Demand | PenaltyDemand): boolean {
    const block = this.#blocks.get(nameOf(of))
    return block !== undefined && block.until > nowMicros() && this.#doubts.has(block.mark)
  }

  #check(): Promise<void> {
    this.#checkedAt = nowMicros()
    this.#checking ??= settled([...this.#doubts.keys()].map(mark => this.#checkNode(mark))).finally(
      () => (this.#checking = undefined),
    )
    return this.#checking
  }

  async #checkNode(mark: StoreMark): Promise<void> {
    const doubt = this.#doubts.get(mark)
    const before = this.#texts.get(mark)
    const text = await within(mark.read(), READ_MS, () => new StoreTimeout(READ_MS))
    if (before !== undefined && text !== before) await this.#restore(mark)
    this.#texts.set(mark, text)
    // If the connection was lost meanwhile, the mark must be read once more.
    if (this.#doubts.get(mark) === doubt) this.#doubts.delete(mark)
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

function nameOf(of: Demand | PenaltyDemand): string {
  return 'cost' in of ? keyOfDemand(of) : keyOf(of.subject, PENALTY_COUNTER)
}

/** The group that blocks again for a time, in microseconds. A block that ends later stays. */
function restoration(of: Demand | PenaltyDemand, left: number): Group {
  if (!('cost' in of)) return { demands: [], penalty: { ...of, mode: PenaltyMode.APPLY, amount: left } }
  const rule = { ...of.rule, cooldown: left, reduced: undefined }
  return { demands: [{ ...of, rule, mode: Mode.BLOCK, cost: 0, penalized: false, terms: undefined }] }
}
