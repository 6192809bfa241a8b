import type { StoreMark } from '@halt/core/store'

import { type Connection, toStoreError } from './connection/index.ts'
import { type KeyWriter, slotOf } from './keys.ts'
import { readText, unexpectedReply } from './reply-value.ts'
import { mark } from './scripts.ts'

/** The parts of a store that its marks use. */
export interface MarksParts {
  readonly connection: Connection
  readonly key: KeyWriter
  readonly prefix: string
  /** Whether each hash slot may be on a node of its own. */
  readonly isPerSlot: () => boolean
  /** Called when a heartbeat finds another mark than was there before, or none. */
  readonly changed: () => void
}

/**
 * The marks of a server: one key, and on a cluster one in each hash slot that is asked for, because a slot takes it along when it moves.
 * They never expire.
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
    const { key, prefix, isPerSlot } = this.#parts
    return isPerSlot() ? undefined : key(`${prefix}mark`, 'z')
  }

  /** The mark beside the counters of a subject. */
  of(subject: string): StoreMark {
    const { key, isPerSlot } = this.#parts
    const slot = isPerSlot() ? slotOf(key(subject, 'z')) : -1
    let found = this.#bySlot.get(slot)
    if (found === undefined) {
      found = { read: () => this.#read(this.key ?? key(tagIn(slot), 'z')) }
      this.#bySlot.set(slot, found)
    }
    return found
  }

  /** Hears the mark of the only node, which a heartbeat has found; empty if there is none. */
  heard(text: string): void {
    const isOther = this.#seen !== '' && text !== this.#seen
    this.#seen = text
    if (isOther) this.#parts.changed()
  }

  async #read(key: string): Promise<string> {
    try {
      const reply = await this.#parts.connection.run(mark, [key], ['', crypto.randomUUID()])
      const text = readText(reply)
      if (text === '') throw unexpectedReply(reply)
      if (key === this.key) this.#seen = text
      return text
    } catch (error) {
      throw toStoreError(error)
    }
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
