import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { Row } from './row.ts'
import { markdown, summary } from './table.ts'

const fileAt = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const [BEGIN, END] = ['<!-- faults -->', '<!-- /faults -->']

/** Writes the worst row of each fault between the markers of RELIABILITY.md, and all rows to RESULTS.md of this app. */
export function publish(rows: readonly Row[], run: string): void {
  const file = fileAt('../../../RELIABILITY.md')
  const page = readFileSync(file, 'utf8')
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`${file} has no place marked ${BEGIN} … ${END}`)
  const text = `${summary(rows)}\n\n${run}`
  writeFileSync(file, `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`)
  const head =
    '# Every run\n\nWritten by `pnpm faults --write`; [the columns](README.md#the-load-and-the-bounds).'
  writeFileSync(fileAt('../RESULTS.md'), `${head}\n\n${markdown(rows)}\n\n${run}\n`)
}
