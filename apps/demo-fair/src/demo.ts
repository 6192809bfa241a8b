// npm run demo -- fair    shows one loud tenant and five others that share one limit
import { randomUUID } from 'node:crypto'

import { RateLimiter } from '@halt/core'
import { openStore } from '@halt/demo-kit'
import { Screen } from '@halt/demo-kit/screen'

import { startTemporaryRedis } from '../../../tools/redis-server.mjs'
import { localCrew, processCrew } from './crew.ts'
import { show } from './show.ts'
import { type Ask, BACKEND, STORE_TIMEOUT } from './tenants.ts'

const PROCESSES = 4

const screen = new Screen(process.stdout)
const given = process.env['REDIS_URL']
const server =
  given === undefined || given === '' ? await startTemporaryRedis('redis-server', 'valkey-server') : undefined
const url = server?.url ?? given
const place =
  url === undefined
    ? 'one process, because no Redis is installed'
    : `${PROCESSES} processes, and one Redis at ${new URL(url).host}`
screen.print(`One backend, in ${place}.`)
const prefix = `halt:demo:${randomUUID()}:`
const { store, close } = openStore({ url, prefix })
const limiter = new RateLimiter<Ask>({ store, policy: BACKEND, storeTimeout: STORE_TIMEOUT, warn: () => {} })
try {
  const ok = await show({
    screen,
    limiter,
    together: 6000,
    alone: 2000,
    start: tell =>
      url === undefined ? localCrew(limiter, tell) : processCrew({ url, prefix, processes: PROCESSES }, tell),
  })
  process.exitCode = ok ? 0 : 1
} finally {
  await limiter.close()
  await close()
  await server?.stop()
}
