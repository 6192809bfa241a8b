import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it, onTestFinished } from 'vitest'

import { ask, type RunningServer, type ServerOptions, startRedis } from '../../../../tools/servers.ts'
import { toStoreError } from '../../src/connection/index.ts'
import { answers, counting, freshKey, made, open, singles, until } from './clients.ts'

async function start(options?: ServerOptions): Promise<RunningServer> {
  const server = await startRedis(options)
  onTestFinished(() => server.stop())
  return server
}

/** Calls all the time, as an app does, and keeps what came of it. */
function traffic(call: () => Promise<unknown>): {
  stop: () => Promise<void>
  failures: Set<string>
  slowest: () => number
} {
  let running = true
  let slowest = 0
  const failures = new Set<string>()
  const out = new Set<Promise<unknown>>()
  const loop = (async () => {
    while (running) {
      const start = performance.now()
      const one = call()
        .catch((error: unknown) => failures.add(toStoreError(error).code))
        .then(() => {
          slowest = Math.max(slowest, performance.now() - start)
          out.delete(one)
        })
      out.add(one)
      await sleep(2)
    }
  })()
  const stop = async (): Promise<void> => {
    running = false
    await loop
    await Promise.all(out)
  }
  return { stop, failures, slowest: () => slowest }
}

describe.each(singles)('$name', maker => {
  it('is back within a second when the server is, in the midst of traffic', async () => {
    const server = await start()
    const user = made(maker, server.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    const count = counting()
    const key = freshKey()
    const load = traffic(() => link.run(count, [key], ['1']))
    await sleep(50)
    await server.stop()
    await until('the loss to be noticed', () => !link.ready, 200)
    await expect(link.run(count, [key], ['1'])).rejects.toMatchObject({ failure: 'unavailable' })
    await sleep(1500)
    await start({ port: server.port })
    const back = await answers(link)
    await load.stop()
    console.log(maker.name, 'back', Math.round(back), [...load.failures], load.slowest())
    expect(back).toBeLessThan(1000)
    expect([...load.failures].sort()).toEqual(['HALT_E_STORE_UNAVAILABLE'])
    // Nothing waited for the server to come back.
    expect(load.slowest()).toBeLessThan(300)
  })

  it('neither hangs on, nor counts twice, when the server is stopped and continued', async () => {
    const server = await start()
    const user = made(maker, server.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    const count = counting()
    const key = freshKey()
    await link.run(count, [key], ['1'])
    server.process.kill('SIGSTOP')
    const hanging = Array.from({ length: 5 }, () =>
      link.run(count, [key], ['1']).catch((error: unknown) => error),
    )
    const started = performance.now()
    const results = await Promise.all(hanging)
    console.log(maker.name, 'hung', performance.now() - started, String(results[0]))
    expect(performance.now() - started).toBeLessThan(2_800)
    for (const result of results)
      expect(result).toMatchObject({ failure: expect.stringMatching(/timeout|unavailable/) })
    expect(link.ready).toBe(false)
    await sleep(3_000)
    server.process.kill('SIGCONT')
    const back = await answers(link)
    console.log(maker.name, 'cont', back)
    expect(back).toBeLessThan(800)
    // What was sent before it stopped was carried out when it went on, once.
    const total = Number(await link.command(['GET', key], key))
    expect(total).toBeLessThanOrEqual(6)
  }, 15_000)

  it('keeps its connection over a short stop', async () => {
    const server = await start()
    const user = made(maker, server.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    const id = await link.command(['CLIENT', 'ID'])
    server.process.kill('SIGSTOP')
    const waiting = link.run(counting(), [freshKey()], ['1'])
    await sleep(1_000)
    server.process.kill('SIGCONT')
    expect(await waiting).toEqual([1, '1'])
    expect(await link.command(['CLIENT', 'ID'])).toEqual(id)
  })

  it('starts without the server, and joins it when it comes', async () => {
    const server = await start()
    await server.stop()
    const user = made(maker, server.port)
    user.connect().catch(() => {})
    const link = open(user.client)
    await link.opened
    expect(link.ready).toBe(false)
    await expect(link.run(counting(), [freshKey()], ['1'])).rejects.toMatchObject({ failure: 'unavailable' })
    await start({ port: server.port })
    const ms = await answers(link)
    console.log(maker.name, 'joined', ms)
    expect(ms).toBeLessThan(maker.name.includes('pool') ? 3_000 : 1_000)
  })

  it('runs again at once after SCRIPT FLUSH', async () => {
    const server = await start()
    const user = made(maker, server.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    const count = counting()
    const key = freshKey()
    for (let i = 1; i <= 20; i++) {
      await ask(server.port, 'SCRIPT FLUSH')
      const sent = [link.run(count, [key], ['1']), link.run(count, [key], ['1'])]
      expect(await Promise.all(sent)).toHaveLength(2)
    }
    expect(Number(await link.command(['GET', key], key))).toBe(40)
  })
})

it.each(singles.filter(({ name }) => name.startsWith('ioredis')))(
  'goes on when the client gives up: $name',
  async maker => {
    const server = await start()
    const user = made(maker, server.port)
    user.client.options.retryStrategy = (times: number) => (times > 1 ? null : 10)
    await user.connect()
    const link = open(user.client)
    await link.opened
    await server.stop()
    await until('the client to give up', () => user.client.status === 'end')
    await start({ port: server.port })
    expect(await answers(link)).toBeLessThan(1_000)
  },
)
