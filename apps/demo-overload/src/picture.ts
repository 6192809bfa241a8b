import type { Visit } from './customers.ts'

/** The time of a column, in milliseconds. */
const COLUMN_MS = 200

const BARS = '▁▂▃▄▅▆▇█'
const [GREEN, YELLOW, RED] = [32, 33, 31]

/** What a picture shows. */
export interface Scene {
  readonly paths: readonly string[]
  readonly visits: readonly Visit[]
  /** How long the scene is, in milliseconds. */
  readonly length: number
  /** When the surge begins and ends, in milliseconds. */
  readonly surge: readonly [from: number, to: number]
  /** A line of the shedder. */
  readonly said: string | undefined
  readonly hasColours: boolean
}

/** Draws one row for each path and one column for each fifth of a second. The higher the bar, the more were answered. */
export function picture({ paths, visits, length, surge, said, hasColours }: Scene): string[] {
  const columns = Math.ceil(length / COLUMN_MS)
  const width = Math.max(...paths.map(path => path.length)) + 2
  const rows = paths.map(path => {
    const own = visits.filter(visit => visit.path === path)
    const bars = Array.from({ length: columns }, (_, column) => {
      const here = own.filter(({ at }) => Math.floor(at / COLUMN_MS) === column)
      return bar(here, hasColours)
    })
    return `${path.padEnd(width)}${bars.join('')}  ${sumUp(own)}`
  })
  const [from, to] = surge.map(ms => Math.round(ms / COLUMN_MS)) as [number, number]
  const axis = `${' '.repeat(width + from)}└${'─ surge '.padEnd(Math.max(0, to - from - 2), '─')}┘`
  return [...rows, axis, said ?? '']
}

function bar(visits: readonly Visit[], hasColours: boolean): string {
  if (visits.length === 0) return ' '
  const answered = visits.filter(({ fate }) => fate === 'answered').length / visits.length
  const left = visits.filter(({ fate }) => fate === 'left').length / visits.length
  const sign = BARS[Math.round(answered * (BARS.length - 1))] as string
  if (!hasColours) return sign
  const colour = left > 0.5 ? RED : answered > 0.9 ? GREEN : YELLOW
  return `\u001B[${colour}m${sign}\u001B[0m`
}

/** How a path's visits ended. */
export function sumUp(visits: readonly Visit[]): string {
  const count = (fate: Visit['fate']): number => visits.filter(visit => visit.fate === fate).length
  const share = visits.length === 0 ? 0 : Math.round((100 * count('answered')) / visits.length)
  return `${String(share).padStart(3)} % answered, ${count('refused')} told to come later, ${count('left')} waited in vain`
}
