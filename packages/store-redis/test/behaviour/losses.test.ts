// Ordinary outages of a Redis that several processes share: a reconnection without a loss, FLUSHALL, a restart, a failover. No process may
// undo what another one has reset, refunded or settled, and what the server has lost of blocks comes back.
import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type Decision, RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { type RunningServer, startRedis } from '../../../../tools/servers.ts'
import { unique } from '../../../../tools/unique.ts'
import { randomNumbers } from '../../../conformance/src/store/random-numbers.ts'
import { RedisStore } from '../../src/index.ts'

const login = {
  name: 'login',
  limit: 3,
  window: '1h',
  algorithm: 'fixed-window',
  blockDuration: '1h',
} as const
const work = { name: 'work', limit: 20, window: '1h', algorithm: 'fixed-window' } as const

let folder: string
let server: RunningServer
let admin: Redis
const args = (): string[] => ['--dir', folder, '--save', '']

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'halt-losses-'))
  server = await startRedis({ args: args() })
  admin = new Redis(server.port)
  admin.on('error', () => {})
})
afterAll(async () => {
  admin.disconnect()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

/** A process of an application: a client, a store and limiters of its own. */
class Process {
  readonly client: Redis = new Redis(server.port, { retryStrategy: () => 20 })
  readonly store: RedisStore
  readonly logins: RateLimiter
  readonly jobs: RateLimiter

  constructor(prefix: string) {
    this.client.on('error', () => {})
    this.store = new RedisStore({ client: this.client, prefix, warn: () => {} })
    const options = { store: this.store, warn: () => {}, storeTimeout: '5s' } as const
    this.logins = new RateLimiter({ ...options, policy: { ...login, keyStrategy: 'user' } })
    this.jobs = new RateLimiter({ ...options, policy: { ...work, keyStrategy: 'user' } })
  }

  /** Waits until the store decides again, and has got back what it lost. */
  async recovers(users: readonly string[]): Promise<void> {
    for (const user of users)
      for (const limiter of [this.logins, this.jobs])
        while ((await limiter.consume({ user }, { cost: 0 })).degraded !== false) await sleep(10)
    // A heartbeat finds out that the server was emptied without a lost connection.
    await this.logins.ready()
    await sleep(30)
  }

  async close(): Promise<void> {
    await Promise.all([this.logins.close(), this.jobs.close()])
    this.client.disconnect()
  }
}

async function withProcesses(count: number, test: (processes: Process[]) => Promise<void>): Promise<void> {
  const prefix = `${unique()}:`
  const processes = Array.from({ length: count }, () => new Process(prefix))
  try {
    await test(processes)
  } finally {
    for (const each of processes) await each.close()
  }
}

const failLogins = async ({ logins }: Process, user: string): Promise<Decision> => {
  for (let i = 0; i < 3; i++) await logins.consume({ user })
  return logins.consume({ user })
}
const isBlocked = async ({ logins }: Process, user: string): Promise<boolean> =>
  !(await logins.peek({ user })).allowed
const usedBy = async ({ jobs }: Process, user: string): Promise<number> =>
  work.limit - (await jobs.peek({ user })).remaining

const callsOf = async (command: string): Promise<number> =>
  Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await admin.info('commandstats'))?.[1])

const reconnect = async (): Promise<void> =>
  void (await admin.call('client', 'kill', 'type', 'normal', 'skipme', 'yes'))
const flush = async (): Promise<void> => void (await admin.flushall())
async function restart(): Promise<void> {
  const { port } = server
  await server.stop()
  server = await startRedis({ args: args(), port })
  while ((await admin.ping().catch(() => '')) !== 'PONG') await sleep(10)
}

it('support resets a login while a process is away, and that process does not block it again', () =>
  withProcesses(3, async ([away, support, other]) => {
    expect((await failLogins(away!, 'ann')).allowed).toBe(false)
    await support!.logins.reset({ user: 'ann' })
    await reconnect()
    for (const each of [away!, support!, other!]) await each.recovers(['ann'])
    for (const each of [away!, support!, other!]) expect(await isBlocked(each, 'ann')).toBe(false)
  }))

it('a reservation of 10 that settled to 1 stays at 1, though a process that was refused meanwhile reconnects', () =>
  withProcesses(2, async ([holder, refused]) => {
    await holder!.jobs.consume({ user: 'ann' }, { cost: 10 })
    const decision = await holder!.jobs.consume({ user: 'ann' }, { cost: 10 })
    expect((await refused!.jobs.consume({ user: 'ann' }, { cost: 5 })).allowed).toBe(false)
    await holder!.jobs.settle(decision, 1)
    await reconnect()
    for (const each of [holder!, refused!]) await each.recovers(['ann'])
    expect([await usedBy(holder!, 'ann'), await usedBy(refused!, 'ann')]).toEqual([11, 11])
  }))

it('a failover to an older replica undoes no reset, and the blocks since then are lost with their writes', () =>
  withProcesses(2, async ([first, second]) => {
    await failLogins(first!, 'ann')
    await sleep(50)
    await second!.logins.reset({ user: 'ann' })
    await admin.save()
    await failLogins(first!, 'bob')
    const { port } = server
    server.process.kill('SIGKILL')
    await server.stop()
    server = await startRedis({ args: args(), port })
    while ((await admin.ping().catch(() => '')) !== 'PONG') await sleep(10)
    for (const each of [first!, second!]) await each.recovers(['ann', 'bob'])
    expect(await isBlocked(second!, 'ann')).toBe(false)
    expect(await isBlocked(second!, 'bob')).toBe(false)
    await rm(join(folder, 'dump.rdb'))
  }))

it('after FLUSHALL a blocked client stays blocked, and no good client meets a failure', () =>
  withProcesses(1, async ([one]) => {
    await failLogins(one!, 'eve')
    await sleep(50)
    await flush()
    const ready = one!.logins.ready()
    const good = await Promise.all(
      Array.from({ length: 300 }, (_, i) => one!.logins.consume({ user: `good${i}` })),
    )
    await ready
    await one!.recovers(['eve'])
    expect(good.every(({ allowed, degraded }) => allowed && degraded === false)).toBe(true)
    expect(await one!.logins.consume({ user: 'eve' })).toMatchObject({
      allowed: false,
      degraded: false,
      reason: 'blocked',
    })
  }))

it('a client whose block an emptied server has lost is blocked again after one request', () =>
  withProcesses(2, async ([one, other]) => {
    for (const each of [one!, other!]) {
      await each.jobs.pause({ user: 'eve' }, { for: '1h' })
      await failLogins(each, 'bob')
    }
    await sleep(50)
    await flush()
    const passed = []
    for (let i = 0; i < 10; i++) {
      passed.push((await one!.jobs.consume({ user: 'eve' })).allowed)
      await sleep(10)
    }
    expect(passed.lastIndexOf(true)).toBeLessThan(2)
    // The same look has brought back all that this process knows of.
    expect(await isBlocked(other!, 'bob')).toBe(true)
  }))

it('a server that keeps its counters gets no command but one for its mark', () =>
  withProcesses(1, async ([one]) => {
    await failLogins(one!, 'eve')
    await sleep(50)
    const before = await callsOf('set')
    await reconnect()
    await one!.recovers(['eve'])
    const after = await callsOf('set')
    // recovers() probes once more by ready().
    expect(after - before).toBeLessThanOrEqual(2)
  }))

it('a heartbeat that finds the mark of before asks for nothing more', () =>
  withProcesses(1, async ([one]) => {
    await failLogins(one!, 'eve')
    await sleep(50)
    const before = await callsOf('evalsha')
    // Each inspection runs three scripts, one of them the heartbeat.
    for (let i = 0; i < 3; i++) await one!.recovers([])
    expect((await callsOf('evalsha')) - before).toBe(9)
  }))

const USERS = ['u0', 'u1', 'u2', 'u3']

for (let seed = 1; seed <= (isFull ? 40 : 3); seed++)
  it(`ordinary outages undo nothing that another process has done, and lose no block (${seed})`, () =>
    withProcesses(3, async processes => {
      const random = randomNumbers(seed)
      const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
      const used = new Map<string, number>()
      const blocked = new Set<string>()
      // Blocks that one process has ended while another one remembers them: a loss may bring them back.
      const stale = new Set<string>()
      const log: string[] = []
      for (let step = 0; step < 30; step++) {
        const [by, user] = [pick(processes), pick(USERS)]
        const act = pick(['fail', 'reset', 'work', 'work', 'refund', 'outage'] as const)
        log.push(`${act} ${user} by ${processes.indexOf(by)}`)
        if (act === 'fail') {
          await failLogins(by, user)
          blocked.add(user)
          stale.delete(user)
        } else if (act === 'reset') {
          await by.logins.reset({ user })
          if (blocked.delete(user)) stale.add(user)
        } else if (act === 'work' || act === 'refund') {
          const decision = await by.jobs.consume({ user }, { cost: 6 })
          const before = used.get(user) ?? 0
          expect([log, decision.allowed]).toEqual([log, before + 6 <= work.limit])
          if (!decision.allowed) continue
          const actual = act === 'refund' ? 0 : pick([1, 6])
          await pick(processes.filter(each => each === by)).jobs.settle(decision, actual)
          used.set(user, before + actual)
        } else {
          // The mark of the first block is known by then.
          await sleep(30)
          const how = pick(['reconnect', 'reconnect', 'flush', 'restart'] as const)
          log.push(how)
          await { reconnect, flush, restart }[how]()
          if (how !== 'reconnect') used.clear()
          for (const each of processes) await each.recovers(USERS)
          if (how !== 'reconnect') for (const each of stale) if (await isBlocked(by, each)) blocked.add(each)
          stale.clear()
          // Each process learns here what is blocked.
          for (const each of processes)
            for (const one of USERS)
              expect([log, one, await isBlocked(each, one), await usedBy(each, one)]).toEqual([
                log,
                one,
                blocked.has(one),
                used.get(one) ?? 0,
              ])
        }
      }
    }))
