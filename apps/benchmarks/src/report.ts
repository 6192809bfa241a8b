import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

import { machine, versions } from './machine.ts'

/** A target for speed or size, and the measured value. */
export interface Target {
  readonly what: string
  readonly bound: number
  readonly measured: number
  readonly unit:
    | '×'
    | 'ns'
    | 'ms'
    | 's'
    | 'kB'
    | 'MB'
    | 'bytes'
    | '%'
    | 'commands'
    | 'calls'
    | 'misses'
    | 'jobs'
    | '429s'
  /** `most`: the value may not exceed the target; `least`: it may not fall below. */
  readonly rule: 'most' | 'least'
}

/** A drawing beside the figures: a file `plots/{name}.svg`. */
export interface Plot {
  readonly name: string
  /** The text for readers who do not see it. */
  readonly text: string
  readonly svg: string
}

/** The results of one part of the benchmarks. */
export interface Section {
  readonly name: string
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly targets: readonly Target[]
  readonly notes: readonly string[]
  readonly plots?: readonly Plot[]
}

/** True if a target was met. */
function isMet({ bound, measured, rule }: Target): boolean {
  return rule === 'most' ? measured <= bound : measured >= bound
}

/** Writes a section as Markdown: the figures, the targets, the notes, the machine. */
export function toMarkdown({ title, head, rows, targets, notes, plots = [] }: Section): string {
  const aligned = head.map((_, i) => (i === 0 ? '---' : '--:'))
  const figures = [head, aligned, ...rows].map(toRow)
  const judged = targets.map(target => {
    const { what, rule, bound, measured, unit } = target
    const wanted = `${rule === 'most' ? '≤' : '≥'} ${amount(bound, unit)}`
    return toRow([what, wanted, amount(measured, unit), isMet(target) ? 'met' : '**missed**'])
  })
  const targetTable = [
    toRow(['target', 'wanted', 'measured', '']),
    toRow(['---', '--:', '--:', '---']),
    ...judged,
  ]
  const tail = [...notes, machine()].map(note => `- ${note}`)
  return [
    `### ${title}`,
    '',
    ...figures,
    '',
    ...(targets.length > 0 ? [...targetTable, ''] : []),
    ...(plots.length > 0 ? [...plots.map(({ name, text }) => `![${text}](plots/${name}.svg)`), ''] : []),
    ...tail,
  ].join('\n')
}

/** The versions of all contestants, as a section. */
export function versionsLine(): string {
  return `Versions: ${versions()}.`
}

/** Writes a section between its marks in a Markdown file: `<!-- memory -->` … `<!-- /memory -->`. */
export function place(file: URL, name: string, text: string): void {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const old = readFileSync(file, 'utf8')
  const from = old.indexOf(open)
  const to = old.indexOf(close)
  if (from < 0 || to < from) throw new Error(`${file.pathname} has no marks ${open} … ${close}`)
  writeFileSync(file, `${old.slice(0, from + open.length)}\n\n${text}\n\n${old.slice(to)}`)
}

/** Writes the plots of a section beside a Markdown file. */
export function placePlots(file: URL, plots: readonly Plot[]): void {
  mkdirSync(new URL('plots/', file), { recursive: true })
  for (const { name, svg } of plots) writeFileSync(new URL(`plots/${name}.svg`, file), svg)
}

/** A number for a table, with three significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return value >= 100 ? String(Math.round(value)) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

function amount(value: number, unit: Target['unit']): string {
  return unit === 'jobs' ? `${value} jobs` : `${figure(value)} ${unit}`
}

function toRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
