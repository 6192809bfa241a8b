// Random histories of callers that wait in one line, on a real Redis by the clock of the world, and judged as those in memory.
import { Redis } from 'ioredis'
import { afterAll, beforeAll, inject, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { unique } from '../../../../tools/unique.ts'
import { chosenKinds, playHistories } from '../../../core/test/line/histories.ts'
import { realServer } from '../../../core/test/line/server.ts'
import { loadCore, unloadCore } from '../../../core/test/line/virtual-core.ts'
import { RedisStore } from '../../src/index.ts'

const client = new Redis(inject('redisUrl'))
const server = realServer(clock => {
  return new RedisStore({ client, connection: 'shared', prefix: `${unique()}:`, clock })
})

beforeAll(async () => {
  await client.ping()
  await loadCore(() => import('@halt/control'))
})
afterAll(async () => {
  unloadCore()
  await client.quit()
})

for (const kind of chosenKinds)
  it(`the line of one to four processes on Redis holds while ${kind.name}`, () =>
    playHistories(kind, { server, runs: isFull ? 2 : 1 }))
