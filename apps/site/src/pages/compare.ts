import { readSource } from './repository.ts'

/** Another limiter, and the guide that moves from it. */
interface Peer {
  readonly name: string
  readonly guide: string
  /** Finds its rows in the measured tables. */
  readonly rows: RegExp
}

/** The libraries of the table in docs/comparison.md. */
export const PEERS: readonly Peer[] = [
  { name: 'express-rate-limit', guide: 'express-rate-limit', rows: /express-rate-limit/ },
  { name: 'rate-limiter-flexible', guide: 'rate-limiter-flexible', rows: /rate-limiter-flexible/ },
  { name: '@fastify/rate-limit', guide: 'fastify-rate-limit', rows: /@fastify\/rate-limit/ },
  { name: '@nestjs/throttler', guide: 'nestjs-throttler', rows: /@nestjs\/throttler|@nest-lab/ },
  { name: 'hono-rate-limiter', guide: 'hono-rate-limiter', rows: /hono-rate-limiter/ },
]

/** The rows of Halt in the measured tables, and of the bare loops and apps that serve as a yardstick. */
const OURS = /@halt\/|halt\b|limiter\.|bare /i

/** A page that compares Halt with one limiter, from the tables of docs/comparison.md and the benchmarks, which say when they were made. */
export function comparison({ name, guide, rows }: Peer): string {
  const section = between(readSource('docs/comparison.md'), '## Libraries\n', '\n## ')
  const migration = readSource(`docs/migrate/${guide}.md`)
  return [
    `# Halt and ${name}`,
    migration.split('\n\n')[1] ?? '',
    '## What each can do',
    columns(section.match(/^\|.*\|$/gm) ?? [], ['Halt', name]),
    'A dash is "no".',
    '## What behaves differently',
    between(migration, '## What behaves differently\n', '\n## '),
    '## Measured',
    'Ratios are to the row that the table names. [All tables, and how they are made](../../apps/benchmarks/README.md).',
    ...measured(rows),
    '## To move',
    `[The guide](../migrate/${guide}.md) has the code before and after, and each option.`,
  ].join('\n\n')
}

/** The measured tables that have a row of the peer: its rows, those of Halt, and the line that says where and when. */
function measured(peer: RegExp): string[] {
  const page = readSource('apps/benchmarks/README.md')
  return [...page.matchAll(/^<!-- (\w[\w-]*) -->\n([\s\S]*?)^<!-- \/\1 -->/gm)].flatMap(([, , part = '']) => {
    const title = /^### (.*)$/m.exec(part)?.[1]
    const [table = []] = tables(part)
    const [head = '', rule = '', ...body] = table
    if (title === undefined || !body.some(row => peer.test(firstCell(row)))) return []
    const kept = body.filter(row => peer.test(firstCell(row)) || OURS.test(firstCell(row)))
    const dated = part.match(/^- .*\d{4}-\d{2}-\d{2}$/m)?.[0] ?? ''
    return [`### ${title}`, [head, rule, ...kept].join('\n'), dated]
  })
}

function tables(text: string): string[][] {
  return (text.match(/(?:^\|.*\|$\n?)+/gm) ?? []).map(table => table.trim().split('\n'))
}

/** The first column of a table, and those with the given names. */
function columns(table: readonly string[], names: readonly string[]): string {
  const cells = table.map(row =>
    row
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
  const kept = [0, ...names.map(name => cells[0]?.indexOf(name) ?? -1)]
  if (kept.includes(-1))
    throw new Error(`The table of docs/comparison.md has no column ${names.join(' or ')}.`)
  const text = cells
    .map((row, i) => `| ${kept.map(at => (i === 1 ? '---' : row[at])).join(' | ')} |`)
    .join('\n')
  // The page lies one folder below the table.
  return text.replaceAll(/\]\((?!https:)/g, '](../')
}

function firstCell(row: string): string {
  return row.split('|')[1] ?? ''
}

function between(text: string, from: string, to: string): string {
  const start = text.indexOf(from)
  if (start < 0) throw new Error(`A page has no part ${JSON.stringify(from)}.`)
  const end = text.indexOf(to, start + from.length)
  return text.slice(start + from.length, end < 0 ? undefined : end).trim()
}
