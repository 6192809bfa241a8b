// Several processes count in one file. The test counts what they admit, outside.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { type ProcessScript, processScript } from '../../../../tools/process-script.ts'
import { type Durability, SqliteStore } from '../../src/index.ts'
import { Files } from '../drivers.ts'
import { rowOf } from '../scene.ts'
import type { Orders } from './counting-process.ts'

const files = new Files()
let script: ProcessScript
beforeAll(async () => {
  script = await processScript(new URL('counting-process.ts', import.meta.url))
})
const running: Counting[] = []
afterEach(() => {
  for (const each of running.splice(0)) each.kill()
})
afterAll(async () => {
  files.clear()
  await script.remove()
})

const driver = createRequire(import.meta.url).resolve('better-sqlite3')

/** A running process, and how many admissions it has told. */
class Counting {
  admitted = 0
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>

  constructor(orders: Omit<Orders, 'driver'>) {
    this.#process = spawn(process.execPath, [script.path, JSON.stringify({ ...orders, driver })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#process.stdout?.on('data', (bytes: Buffer) => void (this.admitted += bytes.length))
    this.#ended = once(this.#process, 'close')
    running.push(this)
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  /** Resolves to the admissions when the process has ended by itself, with the code 0. */
  async end(): Promise<number> {
    const [code] = (await this.#ended) as [unknown]
    if (code !== 0) throw new Error(`A process ended with ${String(code)}.`)
    return this.admitted
  }

  /** Waits for some admissions, and kills the process without warning. */
  async killAfter(admissions: number): Promise<void> {
    while (this.admitted <= admissions) await sleep(5)
    this.kill()
    await this.#ended
  }
}

const KEYS = 20
const LIMIT = 50

it.each<[Durability, number]>([
  ['process', 1],
  ['power', 8],
])(
  'four processes together admit the limit of each key and not one more, with durability "%s"',
  async (durability, callers) => {
    const orders = { path: files.path(), durability, keys: KEYS, limit: LIMIT, callers }
    const processes = Array.from({ length: 4 }, () => new Counting(orders))
    const admitted = await Promise.all(processes.map(each => each.end()))
    expect(admitted.reduce((sum, each) => sum + each)).toBe(KEYS * LIMIT)
  },
)

const KILLS = isFull ? 20 : 2

it.each<[Durability, number]>([
  ['process', 1],
  ['power', 8],
  ['none', 1],
])(
  'processes that are killed again and again forget no admission, with durability "%s"',
  async (durability, callers) => {
    const path = files.path()
    const limit = 1_000_000
    const orders = { path, durability, keys: 1, limit, callers }
    let told = 0
    for (let i = 0; i < KILLS; i++) {
      const processes = [new Counting(orders), new Counting(orders)]
      await Promise.all(processes.map(each => each.killAfter(30 + 17 * i)))
      told += processes.reduce((sum, { admitted }) => sum + admitted, 0)
    }
    const database = files.open(path)
    const policy = { name: 'shared', limit, window: '1h', algorithm: 'fixed-window' } as const
    const limiter = new RateLimiter({ store: new SqliteStore({ database }), policy, warn: () => {} })
    const charged = limit - ((await limiter.peek('key-0')).remaining ?? 0)
    await limiter.close()
    expect(charged).toBeGreaterThanOrEqual(told)
    // At most the checks that were on their way at a kill.
    expect(charged - told).toBeLessThanOrEqual(2 * KILLS * callers)
    expect(rowOf(database, 'pragma integrity_check')).toEqual({ integrity_check: 'ok' })
  },
)
