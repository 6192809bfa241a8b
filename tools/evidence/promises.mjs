// What RELIABILITY.md promises, in a form that can be compared with the rows of docs/evidence.md: the sentences of "In short", the first
// cells of the tables of bounds, and the headings of the sections. A promise that is added there needs a row.
import { readFileSync } from 'node:fs'

/** Sections of RELIABILITY.md that show or take back, and promise nothing. */
const NO_PROMISE = ['In short', 'Measured', 'On PostgreSQL', 'See it yourself', 'What is not promised']

/** All promises. @returns {string[]} */
export function promises() {
  const page = readFileSync(new URL('../../RELIABILITY.md', import.meta.url), 'utf8')
  return [...reasons(page), ...bounds(page)].map(text => `RELIABILITY.md: ${text}`)
}

/** The sentences of the list "In short", without their bold titles. @param {string} page */
function reasons(page) {
  const [, list = ''] = /\n## In short\n([^#]+)/.exec(page) ?? []
  return list
    .split(/^- /m)
    .slice(1)
    .flatMap(item => plain(item.replace(/^\*\*[^*]+\*\*/, '')).split(/(?<=\.) (?=[A-Z])/))
}

/** The headings of the sections that promise, and the first cells of their tables. @param {string} page */
function bounds(page) {
  return page
    .split(/^##+ /m)
    .slice(1)
    .flatMap(section => {
      const [heading = '', ...lines] = section.split('\n')
      if (NO_PROMISE.includes(heading)) return []
      const rows = lines.filter(line => line.startsWith('| ') && !line.startsWith('| -'))
      // The first row of each table has the names of its columns.
      const bounds = rows.filter(row => lines[lines.indexOf(row) + 1]?.startsWith('| -') !== true)
      return [heading, ...bounds.map(row => plain(row.split('|')[1] ?? ''))]
    })
}

/** A text without marks: links that say where to read on, emphasis, line ends. @param {string} text */
function plain(text) {
  return text
    .replace(/ \(\[[^\]]+\]\([^)]+\)\)/g, '')
    .replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replace(/[*`]|\b_|_\b/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}
