import type { Store } from './contract.ts'

/** What a store's clock shows, as far as this process can tell: calendars, and what no counter decides, go by it. */
export class StoreClock {
  readonly #store: Pick<Store, 'clock'>
  #tells = false
  #offset = 0

  constructor(store: Pick<Store, 'clock'>) {
    this.#store = store
  }

  /** Unix milliseconds. */
  now(): number {
    const told = this.#ask()
    this.#tells = told !== undefined
    return told ?? Date.now() + this.#offset
  }

  /** Whole microseconds, where the store can tell without asking anybody. */
  told(): number | undefined {
    const told = this.#ask()
    return told === undefined ? undefined : Math.floor(told * 1000)
  }

  /** Hears the instant of a verdict, microseconds: of a store that does not tell its time, all that is known. */
  hear(instant: number): void {
    if (!this.#tells && isInstant(instant)) this.#offset = instant / 1000 - Date.now()
  }

  // What is no instant is not told: the system's clock stands in.
  #ask(): number | undefined {
    try {
      const told = this.#store.clock?.()
      return isInstant(told) ? told : undefined
    } catch {
      return undefined
    }
  }
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY
}
