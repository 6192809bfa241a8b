import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it, onTestFinished } from 'vitest'

import { ask, type RunningServer, type ServerOptions, startRedis } from '../../../../tools/servers.ts'
import { answers, counting, freshKey, made, open, script, singles, until } from './clients.ts'

async function start(options?: ServerOptions): Promise<RunningServer> {
  const server = await startRedis(options)
  onTestFinished(() => server.stop())
  return server
}

describe.each(singles)('$name', maker => {
  it('logs in as its user', async () => {
    const server = await start({ args: ['--requirepass', 'secret'] })
    const user = made(maker, server.port, { password: 'secret' })
    await user.connect()
    const link = open(user.client)
    await link.opened
    expect(await link.run(counting(), [freshKey()], ['1'])).toEqual([1, '1'])
  })

  it.each([{}, { password: 'hunter2' }])(
    'says that the login is refused, and not what it was: %o',
    async wish => {
      const server = await start({ args: ['--requirepass', 'secret'] })
      const user = made(maker, server.port, wish)
      user.connect().catch(() => {})
      const link = open(user.client)
      await link.opened
      await sleep(100)
      const error = await link.run(counting(), [freshKey()], ['1']).catch((e: unknown) => e)
      console.log(maker.name, error)
      if (!maker.name.includes('pool'))
        expect(error).toMatchObject({ failure: 'misconfigured', code: 'HALT_E_STORE_AUTH' })
      expect(JSON.stringify([error, (error as Error).cause])).not.toContain('hunter2')
      // No storm of attempts.
      const before = Number(/total_connections_received:(\d+)/.exec(await auth(server, 'INFO stats'))?.[1])
      await sleep(1_000)
      const after = Number(/total_connections_received:(\d+)/.exec(await auth(server, 'INFO stats'))?.[1])
      console.log(maker.name, after - before)
    },
  )

  it('says which permission is missing', async () => {
    const server = await start()
    await ask(server.port, 'ACL SETUSER app on >pw ~halt:* +@connection +get')
    const user = made(maker, server.port, { username: 'app', password: 'pw' })
    await user.connect()
    const link = open(user.client)
    await link.opened
    const count = counting()
    await expect(link.run(count, ['halt:a'], ['1'])).rejects.toMatchObject({
      code: 'HALT_E_STORE_PERMISSION',
      reply: 'NOPERM',
    })
    await ask(server.port, 'ACL SETUSER app +evalsha +eval')
    const error = await link.run(count, ['halt:a'], ['1']).catch((e: unknown) => e)
    expect(error).toMatchObject({ failure: 'misconfigured', code: 'HALT_E_STORE_PERMISSION' })
    await ask(server.port, 'ACL SETUSER app +incrby')
    expect(await link.run(count, ['halt:a'], ['1'])).toEqual([1, '1'])
    await expect(link.run(count, ['other'], ['1'])).rejects.toMatchObject({ code: 'HALT_E_STORE_PERMISSION' })
  })

  it('tells what the server refuses apart from what the script breaks', async () => {
    const server = await start({ args: ['--maxmemory-policy', 'noeviction'] })
    const user = made(maker, server.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    const key = freshKey()
    const run = (source: string): Promise<unknown> => link.run(script(source), [key], [])
    await expect(run('return redis.call("NOSUCH")')).rejects.toMatchObject({
      failure: 'script',
      reply: 'ERR',
    })
    await expect(run('error("x")')).rejects.toMatchObject({ failure: 'script', reply: 'ERR' })
    await expect(run('this is no Lua')).rejects.toMatchObject({ failure: 'script', reply: 'ERR' })
    await expect(run('return redis.call("SUBSCRIBE", "x")')).rejects.toMatchObject({
      failure: 'misconfigured',
    })
    await link.command(['SADD', key, 'x'], key)
    await expect(run('return redis.call("INCR", KEYS[1])')).rejects.toMatchObject({
      reply: 'WRONGTYPE',
      failure: 'misconfigured',
    })
    await ask(server.port, 'CONFIG SET maxmemory 1')
    await expect(run('return redis.call("SET", KEYS[1], 1)')).rejects.toMatchObject({
      reply: 'OOM',
      code: 'HALT_E_STORE_OOM',
      failure: 'unavailable',
    })
    expect(link.ready).toBe(true)
  })

  it('connects anew to find the master when it meets a replica', async () => {
    const server = await start()
    const user = made(maker, server.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    const id = await link.command(['CLIENT', 'ID'])
    await ask(server.port, `REPLICAOF 127.0.0.1 1`)
    const count = counting()
    await expect(link.run(count, [freshKey()], ['1'])).rejects.toMatchObject({
      reply: 'READONLY',
      code: 'HALT_E_STORE_READONLY',
      failure: 'unavailable',
    })
    const busy = until(
      'a lot of calls',
      async () => {
        await link.run(count, [freshKey()], ['1']).catch(() => {})
        await sleep(2)
        return false
      },
      1_000,
    ).catch(() => {})
    await busy
    await ask(server.port, 'REPLICAOF NO ONE')
    const ms = await until('a writable master', () =>
      link.run(count, [freshKey()], ['1']).then(
        () => true,
        () => false,
      ),
    )
    console.log(
      maker.name,
      'readonly back',
      ms,
      await ask(server.port, 'INFO stats').then(s => /total_connections_received:(\d+)/.exec(s)?.[1]),
    )
    expect(ms).toBeLessThan(700)
    await answers(link)
    expect(await link.command(['CLIENT', 'ID'])).not.toEqual(id)
  })
})

async function auth(server: RunningServer, command: string): Promise<string> {
  const { Redis } = await import('ioredis')
  const redis = new Redis({ port: server.port, password: 'secret' })
  const [name = '', ...args] = command.split(' ')
  const text = String(await redis.call(name, ...args))
  redis.disconnect()
  return text
}
