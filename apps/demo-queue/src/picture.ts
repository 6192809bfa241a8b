import { type Call, GAP } from './calls.ts'

/** How words are coloured. `plain` leaves them as they are. */
export interface Paint {
  (text: string, worker: number): string
}

/** No colours: for files, pipes and `NO_COLOR`. */
export const plain: Paint = text => text

const COLOURS = [36, 33, 35, 32]

/** One colour for each worker, as ANSI codes. */
export const coloured: Paint = (text, worker) => `\u001B[${COLOURS[worker % COLOURS.length]}m${text}\u001B[0m`

/** What a picture shows. */
export interface Scene {
  readonly workers: number
  readonly calls: readonly Call[]
  /** The number of calls that each worker has to make. */
  readonly each: number
  /** Workers that have ended, by index. */
  readonly ended: ReadonlySet<number>
  /** The time at the left edge, on the clock of the calls. */
  readonly from: number
  /** The time now, on the clock of the calls. */
  readonly to: number
  /** The most columns of the time line. */
  readonly columns: number
  /** The milliseconds of a column. Default: the time between two calls. */
  readonly step?: number
  /** A line of the limiter about those who wait. */
  readonly line: string | undefined
  /** The limits that were set, with the times at which they were. */
  readonly limits?: readonly Limit[] | undefined
}

/** Calls per second that were set at a time, on the clock of the calls. */
export interface Limit {
  readonly at: number
  readonly limit: number
}

/** Draws the starts of the calls: one row for each worker, one column for each tenth of a second, or for each step. */
export function picture(scene: Scene, paint: Paint = plain): string[] {
  const { workers, calls, each, ended, from, to, line, limits = [], step = GAP } = scene
  // A call that starts a little late still belongs to its tenth.
  const passed = Math.ceil((to - from) / step + 0.5)
  const shown = Math.max(1, Math.min(scene.columns, passed))
  const first = Math.max(0, passed - shown)
  const column = ({ started }: Call): number => Math.round((started - from) / step) - first
  const rows = Array.from({ length: workers }, (_, worker) => {
    const own = calls.filter(call => call.worker === worker)
    const counts = Array.from({ length: shown }, () => 0)
    for (const call of own) if (counts[column(call)] !== undefined) counts[column(call)]!++
    const dots = counts.map(count => (count === 0 ? '·' : count === 1 ? '●' : String(count))).join('')
    const rest = ended.has(worker) ? 'has ended' : `${each - own.length} wait`
    return `${paint(`worker ${worker + 1}`, worker)}  ${paint(dots, worker)}  ${own.length} started, ${rest}`
  })
  const below =
    limits.length === 0
      ? []
      : [`limit     ${marks(limits, ({ at }) => Math.round((at - from) / step) - first)}`]
  return [...rows, `${' '.repeat(10)}${axis(first, shown, step)}`, ...below, line ?? '']
}

/** The limits below the columns in which they were set. One that was set before the first column is below that. */
function marks(limits: readonly Limit[], columnOf: (limit: Limit) => number): string {
  let text = ''
  for (const [i, limit] of limits.entries()) {
    const next = limits[i + 1]
    if (next !== undefined && columnOf(next) <= 0) continue
    const column = Math.max(0, columnOf(limit))
    text = `${text === '' ? '' : `${text} `}`.padEnd(column) + `${limit.limit}/s`
  }
  return text
}

/** The seconds below the columns. */
function axis(first: number, columns: number, step: number): string {
  let text = ''
  for (let at = 0; at < columns; at++) {
    const seconds = ((first + at) * step) / 1000
    if (!Number.isInteger(seconds) || text.length > at) continue
    text = `${text.padEnd(at)}${seconds} s`
  }
  return text
}
