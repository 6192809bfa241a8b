import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { QuotaManager } from '@halt/core'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { isFull } from '../../../../tools/full.ts'
import { startRedis } from '../../../../tools/servers.ts'
import { unique } from '../../../../tools/unique.ts'
import { type Bundle, bundleEntries } from '../connection/bundle.ts'
import { RedisStore } from '../../src/index.ts'

let bundle: Bundle
beforeAll(async () => {
  const child = fileURLToPath(new URL('budget-child.ts', import.meta.url))
  bundle = await bundleEntries({ child }, 'child')
}, 60_000)
afterAll(() => bundle.remove())

const MOST_MS = isFull ? 900_000 : 300_000

/** Processes whose agents stream until the budget is gone. */
class Agents {
  readonly #url: string
  readonly #limit: number
  readonly #streams: number
  readonly #prefix = `${unique()}:`
  readonly #anchor = aMinuteAgo()
  readonly #folder = mkdtempSync(join(tmpdir(), 'halt-budget-'))
  readonly #client: Redis
  readonly #store: RedisStore
  readonly #children = new Set<ChildProcess>()
  #started = 0
  /** The most that was charged and held at one moment. */
  most = 0

  constructor(url: string, limit: number, streams: number) {
    this.#url = url
    this.#limit = limit
    this.#streams = streams
    this.#client = new Redis(url)
    this.#client.on('error', () => {})
    this.#store = new RedisStore({ client: this.#client, prefix: this.#prefix })
  }

  start(): void {
    const log = join(this.#folder, `${this.#started++}`)
    const anchor = this.#anchor.getTime()
    const settings = JSON.stringify({
      limit: this.#limit,
      streams: this.#streams,
      ttl: '1s',
      chunk: 40,
      anchor,
    })
    const args = [fileURLToPath(bundle.url), this.#url, this.#prefix, log, settings]
    const child = spawn(process.execPath, args, { stdio: 'inherit' })
    this.#children.add(child)
    child.on('exit', () => this.#children.delete(child))
  }

  /** The processes, the oldest first. */
  get all(): readonly ChildProcess[] {
    return [...this.#children]
  }

  /** Waits until nothing was charged for longer than a hold lives. `disturb` hears what was charged so far. */
  async untilGone(disturb: (charged: number) => Promise<void> | void): Promise<void> {
    for (let [idle, before] = [0, 0]; idle < 15;) {
      await sleep(200)
      const read = await this.#read().catch(() => undefined)
      if (read === undefined) continue
      this.most = Math.max(this.most, read.charged + read.held)
      idle = read.charged === before && before > this.#limit / 2 ? idle + 1 : 0
      before = read.charged
      await disturb(before)
    }
  }

  /** What was charged, and what the agents have really used. */
  async sums(): Promise<{ readonly charged: number; readonly used: number }> {
    const { charged } = await this.#read()
    const parts = readdirSync(this.#folder).flatMap(file =>
      readFileSync(join(this.#folder, file), 'utf8').split('\n').map(Number),
    )
    return { charged, used: parts.reduce((sum, part) => sum + part, 0) }
  }

  async end(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
    await this.#store.close()
    this.#client.disconnect()
  }

  async #read(): Promise<{ readonly charged: number; readonly held: number }> {
    const quota = { name: 'day', limit: this.#limit, period: 'monthly', anchor: this.#anchor } as const
    const { used, held } = (await new QuotaManager(this.#store, { warn: () => {} }).checkQuota('team', quota))
      .quota
    return { charged: used, held }
  }
}

it(
  'processes use a shared budget up and never pass it, while streams are killed or sleep',
  async () => {
    const [processes, streams, limit] = isFull ? [16, 12, 1_500_000] : [3, 8, 100_000]
    // A fifth of the streams, of about 1150 units each, dies with its process.
    const kills = Math.round((0.2 * limit) / 1150 / streams)
    const agents = new Agents(inject('redisUrl'), limit, streams)
    let killed = 0
    try {
      for (let i = 0; i < processes; i++) agents.start()
      await agents.untilGone(charged => {
        if (charged < (limit * (killed + 1)) / (kills + 1) || killed === kills) return
        const [first, second] = agents.all
        first?.kill('SIGKILL')
        killed++
        agents.start()
        if (killed > 1) return
        // Another sleeps for longer than its calls hold units.
        second?.kill('SIGSTOP')
        void sleep(2500).then(() => second?.kill('SIGCONT'))
      })
      const { charged, used } = await agents.sums()
      expect(killed).toBe(kills)
      expect(agents.most).toBeLessThanOrEqual(limit)
      expect(used).toBeLessThanOrEqual(charged)
      expect(used / limit).toBeGreaterThanOrEqual(0.99)
    } finally {
      await agents.end()
    }
  },
  MOST_MS,
)

it(
  'processes never pass a budget while its server is killed under the streams and starts again',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'halt-budget-aof-'))
    const args = ['--appendonly', 'yes', '--appendfsync', 'always', '--dir', dir]
    let server = await startRedis({ args })
    const limit = 40_000
    const agents = new Agents(server.url, limit, 6)
    let isRestarted = false
    try {
      for (let i = 0; i < 2; i++) agents.start()
      await agents.untilGone(async charged => {
        if (charged < limit / 3 || isRestarted) return
        isRestarted = true
        const { port } = server
        await server.stop()
        await sleep(1500)
        server = await startRedis({ args, port })
      })
      const { charged, used } = await agents.sums()
      expect(isRestarted).toBe(true)
      expect(agents.most).toBeLessThanOrEqual(limit)
      expect(used).toBeLessThanOrEqual(charged)
      // The payments whose answers were lost are charged, and were not used.
      expect(used / limit).toBeGreaterThanOrEqual(0.9)
    } finally {
      await agents.end()
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    }
  },
  MOST_MS,
)
