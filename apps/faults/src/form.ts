/** How much of the suite runs, and for how long. */
export interface Form {
  readonly name: 'short' | 'long'
  /** The length of a fault, in milliseconds. */
  readonly faultMs: number
  /** The ten-minute outage: its real length, and the number of requests every 10 ms. */
  readonly tenMinutes: { readonly ms: number; readonly perTick: number }
  /** The number of keys in a flood. */
  readonly floodKeys: number
  /** The number of runs at the same time, on one event loop. */
  readonly together: number
  /** True if every fault runs with every client on every server. */
  readonly everywhere: boolean
  /** How often a scene is played at most, if it misses a bound on a starved machine. */
  readonly tries: number
}

/** The short form, for a test run. */
export const SHORT: Form = {
  name: 'short',
  faultMs: 2_000,
  tenMinutes: { ms: 6_000, perTick: 100 },
  floodKeys: 200_000,
  together: 6,
  everywhere: false,
  tries: 3,
}

/** The long form, whose results are in RESULTS.md. */
export const LONG: Form = {
  name: 'long',
  faultMs: 8_000,
  tenMinutes: { ms: 600_000, perTick: 1 },
  floodKeys: 1_000_000,
  together: 6,
  everywhere: true,
  tries: 1,
}
