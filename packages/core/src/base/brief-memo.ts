import { afterQuietly } from './event-loop.ts'

const LIFE_MS = 1000
const MAX_ENTRIES = 10_000

/**
 * A bounded memo for texts that must not stay in memory: it forgets each entry within a second.
 *
 * One timer per burst of entries empties it, and does not keep the process alive. A runtime whose timers cannot promise that
 * keeps nothing.
 */
export class BriefMemo<V extends NonNullable<unknown>> {
  readonly #entries = new Map<string, V>()
  #isTimed = false

  get(text: string): V | undefined {
    return this.#entries.size === 0 ? undefined : this.#entries.get(text)
  }

  set(text: string, value: V): void {
    if (!this.#isTimed && !this.#startTimer()) return
    if (this.#entries.size < MAX_ENTRIES) this.#entries.set(text, value)
  }

  #startTimer(): boolean {
    const timer = afterQuietly(LIFE_MS, () => {
      this.#entries.clear()
      this.#isTimed = false
    })
    // Where timers are numbers, as in Workers, a timer may end together with the request that started it.
    this.#isTimed = typeof timer === 'object'
    return this.#isTimed
  }
}
