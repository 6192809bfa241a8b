import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { Row } from './row.ts'
import { markdown, summary } from './table.ts'
import { describeRun, POSTGRES_PARTS, REDIS_PARTS } from './versions.ts'

const fileAt = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const RESULTS = fileAt('../RESULTS.md')

/** Writes the worst row of each fault, and all rows, into RESULTS.md. */
export function publish(rows: readonly Row[]): void {
  const isPostgres = ({ place }: Row): boolean => place.server === 'postgres'
  write(
    'faults',
    rows.filter(row => !isPostgres(row)),
    REDIS_PARTS,
  )
  write('faults: postgres', rows.filter(isPostgres), POSTGRES_PARTS)
}

/** Writes the rows between the marks of their name. Without rows the old ones stay. */
function write(name: string, rows: readonly Row[], parts: typeof REDIS_PARTS): void {
  if (rows.length === 0) return
  const run = describeRun(parts)
  replace(`worst ${name}`, `${summary(rows)}\n\n${run}`)
  replace(name, `${markdown(rows)}\n\n${run}`)
}

function replace(name: string, text: string): void {
  const page = readFileSync(RESULTS, 'utf8')
  const [first, last] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [begin, end] = [page.indexOf(first), page.indexOf(last)]
  if (begin < 0 || end < begin) throw new Error(`${RESULTS} has no place marked ${first} … ${last}`)
  writeFileSync(RESULTS, `${page.slice(0, begin + first.length)}\n\n${text}\n\n${page.slice(end)}`)
}
