import { counterMark, MARK_COUNTER, type Store, type StoreMark } from '@halt/core/store'

import { type KeyWriter, slotOf } from './keys.ts'

/** The parts of a store that its marks use. */
export interface MarksParts {
  readonly evaluate: Store['evaluate']
  readonly key: KeyWriter
  /** Whether each hash slot may be on a node of its own. */
  readonly isPerSlot: () => boolean
  /** Called when a heartbeat finds another mark than was there before, or none. */
  readonly changed: () => void
}

/**
 * The marks of a server: one, and on a cluster one in each hash slot that is asked for, because a slot takes it along when it moves.
 */
export class Marks {
  readonly #parts: MarksParts
  readonly #bySlot = new Map<number, StoreMark>()
  // The mark of the only node, as it was seen last; empty if there was none.
  #seen = ''

  constructor(parts: MarksParts) {
    this.#parts = parts
  }

  /** The key of the mark of the only node. Undefined on a cluster. */
  get key(): string | undefined {
    const { subject, counter } = MARK_COUNTER
    return this.#parts.isPerSlot() ? undefined : this.#parts.key(subject, counter)
  }

  /** The mark beside the counters of a subject. */
  of(subject: string): StoreMark {
    const { evaluate, key, isPerSlot } = this.#parts
    const slot = isPerSlot() ? slotOf(key(subject, MARK_COUNTER.counter)) : -1
    let found = this.#bySlot.get(slot)
    if (found === undefined) {
      const mark = counterMark(evaluate, slot < 0 ? undefined : tagIn(slot))
      const noted = { read: async () => (this.#seen = await mark.read()) }
      this.#bySlot.set(slot, (found = slot < 0 ? noted : mark))
    }
    return found
  }

  /** Hears the mark of the only node, which a heartbeat has found; empty if there is none. */
  heard(text: string): void {
    const isOther = this.#seen !== '' && text !== this.#seen
    this.#seen = text
    if (isOther) this.#parts.changed()
  }
}

const tags: string[] = []
let next = 0

/** The shortest text that is found in a hash slot. */
function tagIn(slot: number): string {
  while (tags[slot] === undefined) {
    const tag = (next++).toString(36)
    tags[slotOf(tag)] ??= tag
  }
  return tags[slot]
}
