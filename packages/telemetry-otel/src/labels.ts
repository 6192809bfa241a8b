import { LabelSet } from '@halt/core'

/** The attribute values: bounded, although policies may be made at run time. */
export class Labels {
  readonly #policies: LabelSet
  // There are few stores, but a custom store may choose any name.
  readonly #stores = new LabelSet(20)

  constructor(maxPolicies: number) {
    this.#policies = new LabelSet(maxPolicies)
  }

  /** The label of a policy; `none` if no policy was found. */
  policy(name: string): string {
    return this.#policies.of(name === '' ? 'none' : name)
  }

  store(kind: string): string {
    return this.#stores.of(kind)
  }
}
