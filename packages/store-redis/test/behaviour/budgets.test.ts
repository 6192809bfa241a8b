import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { QuotaManager } from '@halt/core'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { unique } from '../../../../tools/unique.ts'
import { type Bundle, bundleEntries } from '../connection/bundle.ts'
import { RedisStore } from '../../src/index.ts'

const url = inject('redisUrl')
const client = new Redis(url)
let bundle: Bundle
beforeAll(async () => {
  const child = fileURLToPath(new URL('budget-child.ts', import.meta.url))
  bundle = await bundleEntries({ child }, 'child')
}, 60_000)
afterAll(async () => {
  await bundle.remove()
  await client.quit()
})

const [PROCESSES, STREAMS, LIMIT] = isFull ? [16, 12, 1_500_000] : [3, 8, 100_000]
// A fifth of the streams, of about 1150 units each, dies with its process.
const KILLS = Math.round((0.2 * LIMIT) / 1150 / STREAMS)

it(
  'a budget that processes share is never passed, and used to the end, while a fifth of the streams is killed, and some sleep',
  async () => {
    const prefix = `${unique()}:`
    const folder = mkdtempSync(join(tmpdir(), 'halt-budget-'))
    const store = new RedisStore({ client, prefix })
    const quota = { name: 'day', limit: LIMIT, period: 'daily' } as const
    const read = async () => (await new QuotaManager(store).checkQuota({ user: 'team' }, quota)).quota
    const children = new Set<ChildProcess>()
    let started = 0
    const start = (): void => {
      const log = join(folder, `${started++}`)
      const settings = JSON.stringify({ limit: LIMIT, streams: STREAMS, ttl: '1s', chunk: 40 })
      const child = spawn(process.execPath, [fileURLToPath(bundle.url), url, prefix, log, settings], {
        stdio: 'inherit',
      })
      children.add(child)
      child.on('exit', () => children.delete(child))
    }
    const used = (): number =>
      readdirSync(folder).reduce(
        (sum, file) =>
          sum +
          readFileSync(join(folder, file), 'utf8')
            .split('\n')
            .reduce((all, part) => all + Number(part), 0),
        0,
      )
    try {
      for (let i = 0; i < PROCESSES; i++) start()
      let [most, killed, idle, before] = [0, 0, 0, 0]
      // The budget is gone when nothing was charged for longer than a hold lives, with all processes running.
      while (idle < 15) {
        await new Promise(resolve => void setTimeout(resolve, 200))
        const { used: charged, held } = await read()
        most = Math.max(most, charged + held)
        idle = charged === before && charged > LIMIT / 2 ? idle + 1 : 0
        before = charged
        if (charged < (LIMIT * (killed + 1)) / (KILLS + 1) || killed === KILLS) continue
        const [first, second] = children
        first?.kill('SIGKILL')
        killed++
        start()
        if (killed > 1) continue
        // Another sleeps for longer than its calls hold units.
        second?.kill('SIGSTOP')
        setTimeout(() => second?.kill('SIGCONT'), 2500)
      }
      const { used: charged, held } = await read()
      const report = { limit: LIMIT, most, charged, held, used: used(), processes: started, killed }
      console.log(JSON.stringify(report))
      expect(killed).toBe(KILLS)
      expect(most).toBeLessThanOrEqual(LIMIT)
      expect(report.used).toBeLessThanOrEqual(charged)
      expect(report.used / LIMIT).toBeGreaterThanOrEqual(0.99)
    } finally {
      for (const child of children) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
      await store.close()
    }
  },
  isFull ? 900_000 : 300_000,
)
