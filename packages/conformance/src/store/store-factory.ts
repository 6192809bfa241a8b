import type { Store } from '@halt/core/store'

/** Makes the stores of the suite, on clocks that the tests move. */
export interface StoreFactory {
  /** The name of the store in test names. */
  readonly name: string
  /** Makes an empty store. `clock` tells Unix milliseconds, with fractions. */
  make(clock: () => number): Store | Promise<Store>
  /**
   * Makes another store over the counters of one that `make` has made, with its clock, as another process has it. Without it, the tests
   * of stores that share a database are left out.
   */
  another?(store: Store): Store | Promise<Store>
  /**
   * Holds the counters of a store from outside, as a program does that forgot its transaction. Resolves to the function that lets them go.
   */
  hold?(store: Store): Promise<() => Promise<void>>
  /** Whether the suite tests `instances` of stores that share a database, which takes some seconds. Default true. */
  readonly instances?: boolean
  /** Ends a store after its test. */
  end?(store: Store): void | Promise<void>
  /** The steps of each random history. Give fewer for a slow store. Default 500. */
  readonly steps?: number
  /** The number of random histories, and the most of each other kind of random tests. Default 10. */
  readonly histories?: number
  /** Whether the store keeps documents, which `Control` needs. Default true. */
  readonly documents?: boolean
  /** Whether a group over several subjects is decided at one instant of one clock. False on a cluster. Default true. */
  readonly oneInstant?: boolean
  /**
   * Whether the clock of a history may step back. False if the store never lets its clock do so, or removes ended counters beside its
   * decisions. Default false.
   */
  readonly stepsBack?: boolean
  /** Whether the store has marks, because it can lose its counters while a process runs. Default: they are tested where it has them. */
  readonly marks?: boolean
  /** Whether concurrent calls are decided in the order of arrival. False for optimistic stores. Default true. */
  readonly ordered?: boolean
}
