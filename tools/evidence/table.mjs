// The table of docs/evidence.md.

/** @typedef {import('./rows.mjs').Row} Row */

const [BEGIN, END] = ['<!-- evidence -->', '<!-- /evidence -->']

/** The page with the table of these patches. @param {string} page @param {Row[]} rows */
export function pageWith(page, rows) {
  const [start, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (start < 0 || end < start) throw new Error(`docs/evidence.md has no ${BEGIN} … ${END}.`)
  return `${page.slice(0, start)}${BEGIN}\n\n${tables(rows)}\n\n${page.slice(end)}`
}

/** One table for each page that promises, a row for each promise and patch. @param {Row[]} rows */
function tables(rows) {
  const all = rows.flatMap(row => row.promises.map(promise => ({ row, promise })))
  const pages = [...new Set(all.map(({ promise }) => pageOf(promise)))].sort()
  return pages
    .map(page => {
      const own = all.filter(({ promise }) => pageOf(promise) === page)
      own.sort(
        (a, b) => a.promise.localeCompare(b.promise, 'en') || a.row.name.localeCompare(b.row.name, 'en'),
      )
      return `### [${page}](../${page})\n\n${aligned([HEAD, ...own.map(cells)])}`
    })
    .join('\n\n')
}

const HEAD = ['promise', 'the patch breaks it so', 'what then fails']

/** @param {{ row: Row, promise: string }} one */
function cells({ row: { name, breaks, test, fails }, promise }) {
  return [
    promise.slice(pageOf(promise).length + 2),
    `[${breaks}](../tools/evidence/${name}.patch)`,
    `[${fails}](../${test})`,
  ]
}

/** @param {string} promise */
function pageOf(promise) {
  return promise.slice(0, promise.indexOf(': '))
}

/** A table as the formatter writes it. @param {string[][]} lines */
function aligned(lines) {
  const widths = HEAD.map((_, at) => Math.max(...lines.map(line => (line[at] ?? '').length)))
  /** @param {string[]} line */
  const text = line =>
    `| ${line.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - cell.length)).join(' | ')} |`
  const [head = [], ...rest] = lines
  return [text(head), `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`, ...rest.map(text)].join(
    '\n',
  )
}
