// npm run demo -- lease    shows four processes that share one busy limit
import { randomUUID } from 'node:crypto'

import { startTemporaryRedis } from '../../../tools/redis-server.mjs'
import { LEASE } from './limit.ts'
import { show } from './show.ts'

const PROCESSES = 4

const given = process.env['REDIS_URL']
const server =
  given === undefined || given === '' ? await startTemporaryRedis('redis-server', 'valkey-server') : undefined
const url = server?.url ?? given
if (url === undefined || url === '') {
  console.error(
    'This demo needs a Redis. Set REDIS_URL, or install redis-server (npm run setup does, on Debian and Ubuntu).',
  )
  process.exit(1)
}
console.log(
  `${PROCESSES} processes share one limit in one Redis at ${new URL(url).host}. lease: ${JSON.stringify(LEASE)}`,
)
try {
  const ok = await show({
    print: line => console.log(line),
    fleet: () => ({ url, prefix: `halt:demo:${randomUUID()}:`, processes: PROCESSES }),
    ms: 2000,
    limit: 100_000,
  })
  if (!ok) console.log('\nNot all was as it should be: see the lines with ✗ above.')
  process.exitCode = ok ? 0 : 1
} finally {
  await server?.stop()
}
