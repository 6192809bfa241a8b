import { hashText } from '../base/hash.ts'
import { LabelSet } from './labels.ts'
import { afterQuietly } from '../base/event-loop.ts'

/** The refusals of one policy for one reason, in one stretch of time. */
interface RefusalSum {
  readonly policy: string
  readonly reason: string
  /** How many requests were refused. */
  readonly count: number
  /** How many keys they were of; no more than 1 000 are told apart. */
  readonly keys: number
}

const MAX_KEYS = 1_000

interface Running {
  readonly policy: string
  readonly reason: string
  count: number
  readonly keys: Set<number>
}

/** Sums refusals up by policy and reason, and tells the sums of each stretch that has any at its end. Bounded. */
export class RefusalSums {
  readonly #everyMs: number
  readonly #tell: (sum: RefusalSum) => void
  readonly #names = new LabelSet()
  #sums = new Map<string, Running>()

  /** @param everyMs how long a stretch is; it begins with a refusal, and does not keep the process alive */
  constructor(everyMs: number, tell: (sum: RefusalSum) => void) {
    this.#everyMs = everyMs
    this.#tell = tell
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
    for (const { keys, ...sum } of sums.values()) this.#tell({ ...sum, keys: keys.size })
  }
}
