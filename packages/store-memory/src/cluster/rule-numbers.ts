import type { AnyRule } from './message.ts'

// Rules that a resolver makes anew for each call would otherwise be kept for ever, here and in the primary.
const MOST = 1_000

/** The numbers of the rules that this worker has sent, so that it sends each once. */
export class RuleNumbers {
  #numbers = new Map<AnyRule, number>()
  #fresh: [number, AnyRule][] = []
  #next = 0
  #isAnew = false

  /** The number of a rule. */
  readonly of = (rule: AnyRule): number => {
    let number = this.#numbers.get(rule)
    if (number === undefined) {
      number = this.#next++
      this.#numbers.set(rule, number)
      this.#fresh.push([number, rule])
    }
    return number
  }

  /** Call it before the groups of a message are written: a full list is forgotten, and the primary told so. */
  begin(): void {
    if (this.#numbers.size < MOST) return
    this.#numbers = new Map()
    this.#isAnew = true
  }

  /** What the message must tell the primary of rules. */
  take(): { readonly rules?: readonly (readonly [number, AnyRule])[]; readonly isAnew?: boolean } {
    const [fresh, isAnew] = [this.#fresh, this.#isAnew]
    this.#fresh = []
    this.#isAnew = false
    return { ...(fresh.length > 0 && { rules: fresh }), ...(isAnew && { isAnew }) }
  }

  /** Forgets what the primary may not have: a message was lost. */
  lost(): void {
    this.#numbers = new Map()
    this.#fresh = []
    this.#isAnew = true
  }
}
