import { algorithmOf } from '../algorithms/index.ts'
import { type Demand, type Group, Mode } from '../store/contract.ts'
import { BoundedMap } from '../base/bounded-map.ts'
import { keyOf, keyOfDemand } from '../store/counter-key.ts'
import { nowMicros } from '../base/process-clock.ts'

const MAX_ENTRIES = 10_000
const MAX_RESTORED = 1_000

/** The keys that were refused last, and until when. A store that came back empty must not admit them. Bounded. */
export class RefusedKeys {
  readonly #entries = new BoundedMap<{ readonly demand: Demand; readonly until: number }>(MAX_ENTRIES)

  /** @param until the end of the refusal, by this process's clock in microseconds */
  set(demand: Demand, until: number): void {
    this.#entries.set(keyOfDemand(demand), { demand, until })
  }

  /** Changes the end of a refusal that is recorded. */
  prolong(subject: string, counter: string, until: number): void {
    const key = keyOf(subject, counter)
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#entries.set(key, { ...entry, until })
  }

  delete(subject: string, counter: string): void {
    if (this.#entries.size > 0) this.#entries.delete(keyOf(subject, counter))
  }

  /**
   * The groups that check and restore the keys that are still refused: a peek, and a BLOCK demand. Requests in flight are left
   * out, because they end by themselves.
   */
  groups(): { readonly peek: Group; readonly restore: Group }[] {
    const now = nowMicros()
    const groups: { peek: Group; restore: Group }[] = []
    for (const [key, { demand, until }] of this.#entries) {
      if (until <= now) this.#entries.delete(key)
      else if (groups.length < MAX_RESTORED && !algorithmOf(demand.rule).isFlight)
        groups.push({ peek: peekOf(demand), restore: blockOf(demand, until - now) })
    }
    return groups
  }
}

function peekOf(demand: Demand): Group {
  return { demands: [{ ...demand, mode: Mode.PEEK }] }
}

function blockOf(demand: Demand, cooldown: number): Group {
  const rule = { ...demand.rule, cooldown, reduced: undefined }
  return { demands: [{ ...demand, rule, mode: Mode.BLOCK, cost: 0, penalized: false }] }
}
