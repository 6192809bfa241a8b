import { parseArgs } from 'node:util'

import type { ClientName, ServerName } from './place.ts'
import { scenes } from './faults/index.ts'
import { clean } from './postgres/world.ts'
import { LONG, SHORT } from './form.ts'
import { publish } from './publication.ts'
import type { Row } from './row.ts'
import { play, schedule } from './schedule.ts'
import { lineOf } from './table.ts'

const USAGE = `pnpm faults [--quick] [--client ioredis|node-redis|pg|postgres.js] [--server redis|valkey|cluster|postgres] [--write] [fault…]

  --quick   the short form, about a minute
  --write   puts the worst of each fault, and all rows, into apps/faults/RESULTS.md; the rows of Redis
            and of PostgreSQL each, if any was played
  fault     a part of its name: ${scenes.map(({ name }) => `"${name}"`).join(', ')}`

/** Runs the suite with the given arguments. Resolves to the exit code: 1 if a bound was missed, 2 for wrong arguments. */
export async function main(args: readonly string[]): Promise<number> {
  // Each server adds an exit listener to the process.
  process.setMaxListeners(200)
  // When the process exits, its servers are killed, hung ones too.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const unhandled: unknown[] = []
  process.on('unhandledRejection', error => unhandled.push(error))
  const wish = read(args)
  const runs = wish === undefined ? [] : schedule(scenes, wish.form, wish.choice)
  if (wish === undefined || runs.length === 0) {
    console.error(USAGE)
    return 2
  }
  const rows: Row[] = []
  console.log(lineOf())
  for (const played of play(runs, wish.form)) {
    const row = await played
    rows.push(row)
    console.log(lineOf(row))
    for (const what of row.missed) console.log(`    ${what}`)
  }
  await clean()
  for (const error of unhandled) console.error('Nobody handled', error)
  const missed = rows.filter(row => row.missed.length > 0).length
  console.log(`\n${rows.length} runs, ${missed} missed a bound.`)
  if (wish.write) publish(rows)
  return missed + unhandled.length > 0 ? 1 : 0
}

function read(args: readonly string[]) {
  try {
    const text = { type: 'string', multiple: true } as const
    const flag = { type: 'boolean', default: false } as const
    const options = { quick: flag, write: flag, client: text, server: text }
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const choice = {
      faults: positionals,
      clients: (values.client ?? []) as ClientName[],
      servers: (values.server ?? []) as ServerName[],
    }
    return { form: values.quick ? SHORT : LONG, write: values.write, choice }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return undefined
  }
}
