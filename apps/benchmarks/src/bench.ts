import { claims } from './claims/index.ts'
import { client } from './client/index.ts'
import { control } from './control/index.ts'
import { growth } from './growth/index.ts'
import { http } from './http.ts'
import { importing } from './import.ts'
import { inprocess } from './inprocess/index.ts'
import { lease } from './lease/index.ts'
import { limiter } from './limiter.ts'
import { logins } from './logins/index.ts'
import { type Effort, memory } from './memory.ts'
import { overload } from './overload/index.ts'
import { mixed } from './overload/mixed.ts'
import { mysql } from './mysql.ts'
import { postgres } from './postgres.ts'
import { queue } from './queue/index.ts'
import { quota } from './quota.ts'
import { redis } from './redis.ts'
import { place, placePlots, type Section, toMarkdown, versionsLine } from './report.ts'
import { size } from './size.ts'
import { sqlite } from './sqlite.ts'
import { weight } from './weight.ts'

const parts: Record<string, (effort: Effort) => Promise<Section>> = {
  memory,
  limiter,
  growth,
  size,
  redis,
  postgres,
  sqlite,
  mysql,
  quota,
  lease,
  queue,
  logins,
  overload,
  'overload-mixed': mixed,
  control,
  client,
  http,
  'http-inprocess': inprocess,
  import: importing,
  weight,
}

/**
 * `bench [part …] [--quick] [--readme] [--jobs=2000]`: measures the given parts, or all, and prints Markdown. `--quick` only checks that
 * everything runs; `bench claims` measures the numbers that pages print, and fails if one does not hold; `--readme` writes the results into the README; `--jobs` is the number of jobs of each process in the part `queue`.
 */
async function main(args: readonly string[]): Promise<void> {
  const wanted = args.filter(arg => !arg.startsWith('--'))
  if (wanted.join() === 'claims') {
    if (!(await claims({ quick: args.includes('--quick') }))) process.exitCode = 1
    return
  }
  const unknown = wanted.find(name => !Object.hasOwn(parts, name))
  if (unknown !== undefined)
    throw new Error(
      `No part is named "${unknown}". There are: ${Object.keys(parts).join(', ')}; and claims, alone.`,
    )
  const jobs = /^--jobs=(\d+)$/.exec(args.find(arg => arg.startsWith('--jobs')) ?? '')?.[1]
  const effort = { quick: args.includes('--quick'), jobs: jobs === undefined ? undefined : Number(jobs) }
  for (const [name, measure] of Object.entries(parts)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const section = await measure(effort)
    const text = toMarkdown(section)
    console.log(`${text}\n`)
    if (!args.includes('--readme')) continue
    place(README, name, text)
    placePlots(README, section.plots ?? [])
  }
  console.log(versionsLine())
  if (args.includes('--readme')) place(README, 'versions', versionsLine())
}

const README = new URL('../README.md', import.meta.url)
await main(process.argv.slice(2))
