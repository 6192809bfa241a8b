import type { Row } from './row.ts'

/** A column: its head, its width in a terminal, and its cell in a row. */
interface Column {
  readonly head: string
  readonly width: number
  readonly cell: (row: Row) => string
}

const fault: Column = { head: 'fault', width: 36, cell: row => row.fault }
const places: readonly Column[] = [
  { head: 'server', width: 8, cell: ({ place }) => place.server ?? '–' },
  { head: 'client', width: 11, cell: ({ place }) => place.client ?? '–' },
]
const found: readonly Column[] = [
  { head: 'good 200', width: 13, cell: ({ good }) => (good ? `${good.passed}/${good.asked}` : '–') },
  { head: 'slowest', width: 8, cell: row => number(row.slowest, ' ms') },
  { head: 'p99, open', width: 10, cell: row => number(row.p99, ' ms') },
  { head: 'over: known', width: 12, cell: row => number(row.over?.known) },
  { head: 'over: new', width: 10, cell: row => number(row.over?.fresh) },
  { head: 'over: leased', width: 13, cell: row => number(row.over?.leased) },
  { head: 'back after', width: 11, cell: row => number(row.back, ' ms') },
  { head: 'timer late', width: 11, cell: row => number(row.machine, ' ms') },
  { head: 'heap', width: 9, cell: row => (row.heap === undefined ? '–' : `${row.heap.toFixed(1)} MB`) },
  { head: 'longest turn', width: 13, cell: row => number(row.turn, ' ms') },
  {
    head: '',
    width: 0,
    cell: ({ note, missed }) =>
      [note, missed.length > 0 ? 'MISSED' : undefined].filter(text => text !== undefined).join(', '),
  },
]

/** A line for a terminal: an aligned row, or, without a row, the heads. */
export function lineOf(row?: Row): string {
  return [fault, ...places, ...found]
    .map(({ head, width, cell }) => (row === undefined ? head : cell(row)).padEnd(width))
    .join(' ')
    .trimEnd()
}

/** All rows in Markdown. */
export function markdown(rows: readonly Row[]): string {
  return markdownOf([fault, ...places, ...found], rows)
}

/** In Markdown, one row per fault: the worst value of each column, over all servers and clients. */
export function summary(rows: readonly Row[]): string {
  const groups = groupByFault(rows)
  const runs: Column = { head: 'runs', width: 0, cell: row => String(groups.get(row.fault)?.length) }
  return markdownOf([fault, runs, ...found], [...groups.values()].map(worstOf))
}

function worstOf(rows: readonly Row[]): Row {
  const [first] = rows as readonly [Row]
  const most = (of: (row: Row) => number | undefined): number | undefined => {
    const values = rows.map(of).filter(value => value !== undefined)
    return values.length === 0 ? undefined : Math.max(...values)
  }
  const sum = (of: (row: Row) => number | undefined): number =>
    rows.reduce((total, row) => total + (of(row) ?? 0), 0)
  const notes = new Set(rows.map(row => row.note))
  const worst = {
    slowest: most(row => row.slowest),
    p99: most(row => row.p99),
    back: most(row => row.back),
    machine: most(row => row.machine),
    heap: most(row => row.heap),
    turn: most(row => row.turn),
    note: notes.size === 1 ? first.note : undefined,
  }
  const known = most(row => row.over?.known) ?? 0
  const others = { fresh: most(row => row.over?.fresh), leased: most(row => row.over?.leased) }
  const good = { passed: sum(row => row.good?.passed), asked: sum(row => row.good?.asked) }
  return {
    fault: first.fault,
    place: {},
    ...measured(worst),
    ...(first.good === undefined ? {} : { good }),
    over: { known, ...measured(others) },
    missed: rows.flatMap(row => row.missed),
  }
}

/** The values that were measured. */
function measured<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

function markdownOf(columns: readonly Column[], rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(({ head }) => head)),
    line(columns.map(() => '---')),
    ...rows.map(row => line(columns.map(({ cell }) => cell(row)))),
  ].join('\n')
}

function number(value: number | undefined, unit = ''): string {
  return value === undefined ? '–' : `${Number.isFinite(value) ? Math.round(value) : '∞'}${unit}`
}

function groupByFault(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) groups.set(row.fault, [...(groups.get(row.fault) ?? []), row])
  return groups
}
