import type { Decision, RateLimiter } from '@halt/core'

/** The units that each key may use, and how fast they come back. */
export const POLICY = { name: 'p', limit: 20, window: 3600, blockDuration: 3600 } as const
/** The time in which one unit comes back, in milliseconds. */
const REFILL_MS = (POLICY.window * 1000) / POLICY.limit
const TICK_MS = 10
const GOOD_KEYS = 50
/** The number of uses of a good key before another takes its place: half of its limit. */
const USES = 10

/** The results of a load. */
export interface Seen {
  good: number
  /** Good requests that were refused, or got no decision. */
  refused: number
  failed: number
  /** The wait of the slowest good request, in milliseconds. */
  slowest: number
  /** The waits of good requests while the breaker was open, in milliseconds. */
  readonly waits: number[]
  /** Units that the known abuser got beyond its refill. */
  known: number
  /** Units that the new abuser got beyond its limit. */
  fresh: number
}

/**
 * 100 requests per second: half from good keys, half from abusers with a limit of 20. One abuser had used up its limit and
 * was refused before the fault; the other starts with the fault.
 */
export class Load {
  readonly #limiter: RateLimiter
  readonly #perTick: number
  readonly #isOpen: () => boolean
  readonly #out = new Set<Promise<void>>()
  readonly #seen: Seen = { good: 0, refused: 0, failed: 0, slowest: 0, waits: [], known: 0, fresh: 0 }
  readonly #timer: NodeJS.Timeout
  readonly #began = performance.now()
  #turn = 0
  #met = false

  /**
   * @param isOpen tells whether the breaker is open now
   * @param perTick requests every 10 ms
   */
  constructor(limiter: RateLimiter, isOpen: () => boolean, perTick = 1) {
    this.#limiter = limiter
    this.#isOpen = isOpen
    this.#perTick = perTick
    this.#timer = setInterval(() => {
      for (let i = 0; i < this.#perTick; i++) this.#ask()
    }, TICK_MS)
  }

  /** Starts the new abuser. */
  bringNewcomer(): void {
    this.#met = true
  }

  async stop(): Promise<Seen> {
    clearInterval(this.#timer)
    await Promise.all(this.#out)
    const refilled = Math.floor((performance.now() - this.#began) / REFILL_MS)
    const seen = this.#seen
    seen.known = Math.max(0, seen.known - refilled)
    seen.fresh = Math.max(0, seen.fresh - POLICY.limit - refilled)
    return seen
  }

  #ask(): void {
    const turn = this.#turn++
    const isGood = turn % 2 === 0
    const n = turn >> 1
    const abuser = this.#met && n % 2 === 0 ? 'newcomer' : 'abuser'
    const key = isGood ? `good${n % GOOD_KEYS}-${Math.floor(n / (GOOD_KEYS * USES))}` : abuser
    const started = performance.now()
    const wasOpen = this.#isOpen()
    const seen = this.#seen
    const call = this.#limiter
      .consume(key)
      .then(({ allowed }: Decision) => {
        if (!isGood) return void (seen[abuser === 'abuser' ? 'known' : 'fresh'] += allowed ? 1 : 0)
        const waited = performance.now() - started
        seen.good++
        seen.refused += allowed ? 0 : 1
        seen.slowest = Math.max(seen.slowest, waited)
        if (wasOpen) seen.waits.push(waited)
      })
      .catch(() => void seen.failed++)
      .finally(() => this.#out.delete(call))
    this.#out.add(call)
  }
}
