// npm run demo -- queue    shows four workers that share 10 calls per second
import { randomUUID } from 'node:crypto'

import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { openStore } from '@halt/demo-kit'
import { Screen } from '@halt/demo-kit/screen'

import { startTemporaryRedis } from '../../../tools/redis-server.mjs'
import { policiesOf, STORE_TIMEOUT } from './calls.ts'
import { localCrew, processCrew } from './crew.ts'
import { show } from './show.ts'

const WORKERS = 4
const JOB = { calls: 10, askEvery: 20 }

const screen = new Screen(process.stdout)
const given = process.env['REDIS_URL']
const server =
  given === undefined || given === '' ? await startTemporaryRedis('redis-server', 'valkey-server') : undefined
const url = server?.url ?? given
const place =
  url === undefined
    ? 'one process, because no Redis is installed'
    : `processes of their own, and one Redis at ${new URL(url).host}`
// The pictures show what happens, so nothing is printed between them.
const warn = (): void => {}
screen.print(`Four workers share 10 calls per second. They run in ${place}.`)
try {
  const ok = await show({
    screen,
    workers: WORKERS,
    job: JOB,
    inProcesses: url !== undefined,
    loseServer: server && (() => server.lose(1000)),
    open(job) {
      const prefix = `halt:demo:${randomUUID()}:`
      const { store, close } = openStore({ url, prefix })
      const control = new Control({ store, warn })
      const policy = policiesOf(job)
      const limiter = new RateLimiter({ store, policy, control, storeTimeout: STORE_TIMEOUT, warn })
      const crew = url === undefined ? localCrew(WORKERS, limiter) : processCrew(WORKERS, { url, prefix })
      const end = async (): Promise<void> => {
        control.close()
        await close()
      }
      return { crew, limiter, control, close: end }
    },
  })
  if (!ok) screen.print('\nNot all was as it should be: see the lines with ✗ above.')
  process.exitCode = ok ? 0 : 1
} finally {
  await server?.stop()
}
