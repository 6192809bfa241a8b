import { fromCaller } from '../base/warnings.ts'
import { describe, HaltError } from '../base/errors.ts'

/** The label of all values beyond the maximum. */
const OTHER = 'other'

/**
 * A bounded set of label values. The first `size` values keep their names, and all later ones become `"other"`. So policies that
 * are made at run time, such as one per customer, cannot fill a metrics server.
 *
 * @example
 * const names = new LabelSet(100)
 * counter.inc({ policy: names.of(metadata.policy) })
 */
export class LabelSet {
  readonly #size: number
  readonly #known = new Set<string>()

  /**
   * @param size the maximum number of distinct values besides `"other"`. Default 100
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
  const message = `The maximum number of labels is ${describe(size)}.`
  throw new HaltError('HALT_E_OPTION', message, 'Give a whole number above 0.')
}
