import { fromCaller } from '../base/call-site.ts'
import { describe } from '../base/describe.ts'
import { HaltError } from '../base/errors.ts'

/** What stands for the labels that found no room. */
const OTHER = 'other'

/**
 * A bounded set of label values: the first `size` that come keep their names, all later ones are `"other"`. So policies
 * that are made at run time, one a customer, cannot fill a metrics server.
 *
 * @example
 * const names = new LabelSet(100)
 * counter.inc({ policy: names.of(metadata.policy) })
 */
export class LabelSet {
  readonly #size: number
  readonly #known = new Set<string>()

  /**
   * @param size the most distinct values besides `"other"`. Default 100
   * @throws HaltError `HALT_E_OPTION`
   */
  constructor(size = 100) {
    this.#size = fromCaller(LabelSet, () => checkSize(size))
  }

  of(value: string): string {
    if (this.#known.has(value)) return value
    if (this.#known.size >= this.#size) return OTHER
    this.#known.add(value)
    return value
  }
}

function checkSize(size: number): number {
  if (Number.isInteger(size) && size >= 1) return size
  const message = `The most labels to tell apart is ${describe(size)}.`
  throw new HaltError('HALT_E_OPTION', message, 'Give a whole number above 0.')
}
