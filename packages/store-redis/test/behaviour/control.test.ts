// Operators act, while Redis loses data, fails over to an older copy, or hangs.
import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, inject, it } from 'vitest'

import { startRedis } from '../../../../tools/servers.ts'
import { unique } from '../../../../tools/unique.ts'
import { RedisStore } from '../../src/index.ts'
import { until } from '../connection/scene.ts'

const undone: (() => unknown)[] = []
afterEach(async () => {
  for (const undo of undone.splice(0).toReversed()) await undo()
})

/** A process with connections of its own. */
function processOn(url: string, prefix = 'halt:') {
  const client = new Redis(url)
  client.on('error', () => {})
  const store = new RedisStore({ client, prefix, warn: () => {} })
  const codes: string[] = []
  const control = new Control({ store, warn: ({ code }) => void codes.push(code) })
  const limiter = new RateLimiter({
    store,
    control,
    policy: { name: 'p', limit: 1000, window: 60, keyStrategy: 'user' },
    storeTimeout: '30s',
    warn: () => {},
  })
  undone.push(async () => {
    control.close()
    await limiter.close()
    client.disconnect()
  })
  const blocked = (): string[] =>
    control
      .inForce()
      .map(({ target = '' }) => target.replace('user:', ''))
      .toSorted()
  return { client, control, limiter, codes, blocked }
}

async function ownServer() {
  const server = await startRedis()
  undone.push(() => server.stop())
  return server
}

describe('operators’ blocks', () => {
  it('blocks survive FLUSHALL, and are written back without those that were taken back', async () => {
    const { url } = await ownServer()
    const [a, b] = [processOn(url), processOn(url)]
    await Promise.all(['mallory', 'eve', 'dan'].map(user => a.control.block({ user })))
    await until('b has read them', async () => b.blocked().length === 3)
    await a.client.flushall()
    const fresh = processOn(url)
    await until('they are written back', async () => fresh.blocked().length === 3)
    for (let loss = 1; loss <= 2; loss++) {
      await a.client.flushall()
      // While the others write the document back, an operator takes one block back, and makes another.
      await Promise.all([a.control.unblock({ user: 'eve' }), b.control.block({ user: `new${loss}` })])
      const wanted = ['dan', 'mallory', ...['new1', 'new2'].slice(0, loss)]
      const script = processOn(url)
      await until('all agree', async () =>
        [a, b, script].every(each => each.blocked().join() === wanted.join()),
      )
      expect((await script.control.entries()).map(({ target }) => target)).toHaveLength(wanted.length)
      expect((await b.limiter.consume({ user: 'mallory' })).reason).toBe('blocked')
    }
    const told = [...a.codes, ...b.codes]
    expect(told).toContain('HALT_W_CONTROL_LOST')
  })

  it('blocks survive a failover to an older copy', async () => {
    const { url } = await ownServer()
    const [a, b] = [processOn(url), processOn(url)]
    await a.control.block({ user: 'mallory' })
    const [key = ''] = (await a.client.keys('*')).filter(name => /control$|control\}?$/.test(name))
    const copy = await a.client.hgetall(key)
    expect(copy['t']).toContain('mallory')
    await a.control.block({ user: 'eve' })
    await a.control.unblock({ user: 'mallory' })
    await until('b has read them', async () => b.blocked().join() === 'eve')
    await a.client.hset(key, copy)
    await until(
      'it is written back',
      async () => !(await a.client.hget(key, 't'))?.includes('"user:mallory","at"'),
    )
    const script = processOn(url)
    await until('all agree', async () => [a, b, script].every(each => each.blocked().join() === 'eve'))
    expect([...a.codes, ...b.codes]).toContain('HALT_W_CONTROL_LOST')
  })

  it('blocks hold in one process while Redis hangs, and in all afterwards', async () => {
    const server = await ownServer()
    const [a, b] = [processOn(server.url), processOn(server.url)]
    await a.control.block({ user: 'mallory' })
    await until('b has read it', async () => b.blocked().length === 1)
    server.process.kill('SIGSTOP')
    const entry = await a.control.block({ user: 'eve' })
    expect(entry.scope).toBe('process')
    expect(a.control.inForce().map(({ scope }) => scope)).toEqual([undefined, 'process'])
    expect(b.blocked()).toEqual(['mallory'])
    server.process.kill('SIGCONT')
    await until('b has read it', async () => b.blocked().join() === 'eve,mallory')
    await until('a has written it', async () =>
      (await a.control.entries()).every(({ scope }) => scope === undefined),
    )
    expect(await a.control.history()).toHaveLength(2)
    expect(a.codes).toEqual(['HALT_W_CONTROL_LOCAL'])
  })
})

it('100 blocks that four processes make at once are all there', async () => {
  const prefix = `${unique()}:`
  const all = Array.from({ length: 4 }, () => processOn(inject('redisUrl'), prefix))
  const users = Array.from({ length: 25 }, (_, i) => i)
  const acts = all.flatMap(({ control }, p) => users.map(i => control.block({ user: `u${p}-${i}` })))
  expect((await Promise.all(acts)).every(({ scope }) => scope === undefined)).toBe(true)
  expect((await all[0]?.control.entries())?.length).toBe(100)
  expect(await all[1]?.control.history()).toHaveLength(100)
})
