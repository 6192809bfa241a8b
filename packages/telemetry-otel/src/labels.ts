import { LabelSet } from '@halt/core'

/** The names that attributes may hold: bounded, though policies may be made at run time. */
export class Labels {
  readonly #policies: LabelSet
  // Stores are few; but a custom one may call itself anything.
  readonly #stores = new LabelSet(20)

  constructor(maxPolicies: number) {
    this.#policies = new LabelSet(maxPolicies)
  }

  /** The label of a policy. Where none was found there is no name. */
  policy(name: string): string {
    return this.#policies.of(name === '' ? 'none' : name)
  }

  store(kind: string): string {
    return this.#stores.of(kind)
  }
}
