// npm run demo -- budget    shows agents of several processes that use up a budget of money, and never pass it
import { randomUUID } from 'node:crypto'

import { usd } from '@halt/core'
import { openStore } from '@halt/demo-kit'
import { Screen } from '@halt/demo-kit/screen'

import { startTemporaryRedis } from '../../../tools/redis-server.mjs'
import { startModel } from './model-server.ts'
import { dollars } from './money.ts'
import { show } from './show.ts'

const screen = new Screen(process.stdout)
const given = process.env['REDIS_URL']
const server =
  given === undefined || given === '' ? await startTemporaryRedis('redis-server', 'valkey-server') : undefined
const redis = server?.url ?? given
const limit = usd(0.5)
const crew = { processes: 5, agents: 6, limit }
if (redis === undefined || redis === '') {
  screen.print('The processes share a Redis. Install redis-server or valkey-server, or give REDIS_URL.')
  process.exitCode = 1
} else {
  const prefix = `halt:demo:${randomUUID()}:`
  const model = await startModel()
  const { store, close } = openStore({ url: redis, prefix })
  screen.print(
    `${crew.processes} processes, each with ${crew.agents} agents that stream, share a budget of ${dollars(limit)} in one Redis. ` +
      'One process after the other is killed and replaced.\n',
  )
  try {
    const ok = await show({ ...crew, screen, model, store, redis, prefix, killEvery: 0.07 * limit })
    if (!ok) screen.print('\nNot all was as it should be: see the lines with ✗ above.')
    process.exitCode = ok ? 0 : 1
  } finally {
    await close()
    await model.close()
    await server?.stop()
  }
}
