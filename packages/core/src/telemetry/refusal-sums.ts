import { hashText } from '../base/hash.ts'
import { LabelSet } from './labels.ts'
import { afterQuietly } from '../base/event-loop.ts'
import { isStrayPromise } from '../base/promises.ts'

/** The sum of one policy's refusals for one reason, in one period. */
interface RefusalSum {
  readonly policy: string
  readonly reason: string
  /** How many requests were refused. */
  readonly count: number
  /** How many distinct keys were refused, up to 1 000. */
  readonly keys: number
}

const MAX_KEYS = 1_000

interface Running {
  readonly policy: string
  readonly reason: string
  count: number
  readonly keys: Set<number>
}

/** Sums up refusals by policy and reason, and reports the sums at the end of each period that has any. Bounded. */
export class RefusalSums {
  readonly #everyMs: number
  readonly #report: (sum: RefusalSum) => void
  readonly #names = new LabelSet()
  #sums = new Map<string, Running>()

  /**
   * @param everyMs the length of a period, in milliseconds. A period begins with a refusal and does not keep the process
   * alive.
   */
  constructor(everyMs: number, report: (sum: RefusalSum) => void) {
    this.#everyMs = everyMs
    this.#report = report
  }

  /** Adds a refusal. */
  add(name: string, reason: string, key: string): void {
    if (this.#sums.size === 0) afterQuietly(this.#everyMs, () => this.#end())
    const policy = this.#names.of(name)
    const id = `${policy} ${reason}`
    let sum = this.#sums.get(id)
    if (sum === undefined) this.#sums.set(id, (sum = { policy, reason, count: 0, keys: new Set() }))
    sum.count++
    if (sum.keys.size < MAX_KEYS) sum.keys.add(hashText(key))
  }

  #end(): void {
    const sums = this.#sums
    this.#sums = new Map()
    for (const { keys, ...sum } of sums.values()) {
      try {
        isStrayPromise(this.#report({ ...sum, keys: keys.size }))
      } catch {
        // A logger that fails must not end the process.
      }
    }
  }
}
