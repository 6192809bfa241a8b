import type { Link } from './connection/index.ts'
import { heartbeat } from './scripts.ts'

const EVERY_MS = 5_000
const LASTS_MS = 15_000

/** Counts the processes that use a store: each says so while it decides, and is forgotten when it stops. No timer. */
export class Heartbeat {
  readonly #link: Link
  readonly #key: string
  readonly #id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`
  #next = 0
  #count = 1

  constructor(link: Link, key: string) {
    this.#link = link
    this.#key = key
  }

  /** The processes counted last, this one included. */
  get count(): number {
    return this.#count
  }

  /** Says that this process is alive, when it is time to. */
  beat(): void {
    const now = performance.now()
    if (now < this.#next || !this.#link.ready) return
    this.#next = now + EVERY_MS
    this.#link.run(heartbeat, [this.#key], [this.#id, String(LASTS_MS)]).then(
      count => {
        this.#count = Math.max(1, Number(count))
      },
      () => {
        // The last count stands; a store that is away says so at the next check.
      },
    )
  }
}
