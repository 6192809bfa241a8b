import type { PlotData } from './plot.ts'

/** One line of a curve: a limiter of `lines.ts` that is measured at every size. */
export interface Line {
  readonly name: string
  readonly label: string
  /** True for a line that only shows the cost of the machine. */
  readonly isYardstick?: boolean
}

/** A check by the size of one thing. */
export interface Curve {
  readonly name: string
  readonly title: string
  readonly axis: string
  readonly sizes: readonly number[]
  readonly log: PlotData['log']
  readonly lines: readonly Line[]
  /** What the slope is told per. `yardstick`: per nanosecond of the yardstick at the same size. */
  readonly per: 'policy' | 'sub-window' | 'hop' | 'entry' | 'guard' | 'yardstick'
}

const TENS = [1, 10, 100, 1000, 10_000]

/** What a check may grow with. */
export const curves: readonly Curve[] = [
  {
    name: 'policies',
    title: 'Policies in one step',
    axis: 'policies',
    sizes: [1, 2, 4, 8],
    log: 'none',
    lines: [{ name: 'policies', label: 'policies' }],
    per: 'policy',
  },
  {
    name: 'live-keys',
    title: 'Live keys',
    axis: 'addresses in the memory store',
    sizes: [1000, 10_000, 100_000, 1_000_000, 10_000_000],
    log: 'x',
    lines: [
      { name: 'live keys', label: 'live keys' },
      { name: 'live keys, bare', label: 'bare Map + GCRA loop', isYardstick: true },
    ],
    per: 'yardstick',
  },
  {
    name: 'precision',
    title: 'Sub-windows of a sliding window',
    axis: 'precision',
    sizes: [1, 10, 100, 1000],
    log: 'both',
    lines: [{ name: 'precision', label: 'sub-windows' }],
    per: 'sub-window',
  },
  {
    name: 'hops',
    title: 'Trusted proxies in X-Forwarded-For',
    axis: 'hops',
    sizes: [0, 1, 2, 4, 8, 16],
    log: 'none',
    lines: [{ name: 'hops', label: 'trusted hops' }],
    per: 'hop',
  },
  {
    name: 'lists',
    title: 'Entries of a list that a request is compared with',
    axis: 'entries',
    sizes: TENS,
    log: 'both',
    lines: [
      { name: 'exempt paths', label: 'exempt paths' },
      { name: 'exempt networks', label: 'exempt CIDRs' },
      { name: 'trusted networks', label: 'trusted CIDRs' },
    ],
    per: 'entry',
  },
  {
    name: 'guards',
    title: 'Guards on a route (Express)',
    axis: 'guards, each with a limiter of its own',
    sizes: [1, 2, 4, 8],
    log: 'none',
    lines: [{ name: 'guards', label: 'guards on a route' }],
    per: 'guard',
  },
]
