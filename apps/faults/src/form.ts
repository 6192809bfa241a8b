/** How much of the suite is run, and for how long. */
export interface Form {
  readonly name: 'short' | 'long'
  /** How long a fault lasts, milliseconds. */
  readonly faultMs: number
  /** The outage of ten minutes: how long it really lasts, and how many requests come each 10 ms. */
  readonly tenMinutes: { readonly ms: number; readonly perTick: number }
  /** How many keys a flood brings. */
  readonly floodKeys: number
  /** How many runs go on at the same time, on one event loop. */
  readonly together: number
  /** Whether every fault meets every client on every server. */
  readonly everywhere: boolean
}

/** What a test run has time for. */
export const SHORT: Form = {
  name: 'short',
  faultMs: 2_000,
  tenMinutes: { ms: 6_000, perTick: 100 },
  floodKeys: 300_000,
  together: 6,
  everywhere: false,
}

/** What the table in RELIABILITY.md is made of. */
export const LONG: Form = {
  name: 'long',
  faultMs: 8_000,
  tenMinutes: { ms: 600_000, perTick: 1 },
  floodKeys: 1_000_000,
  together: 6,
  everywhere: true,
}
