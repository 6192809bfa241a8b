import { createHash } from 'node:crypto'

import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { describe, inject, vi } from 'vitest'

import { openConnection, type Run } from '../../src/connection/index.ts'
import { counting, failure, freshKey, it } from './scene.ts'

const open = (options: object): unknown => openConnection({ connection: 'own', warn: () => {}, ...options })

describe('openConnection', () => {
  it.for([
    ['neither', {}, 'Neither client nor run'],
    ['both', { client: {}, run: () => {} }, 'Both client and run'],
    ['no function', { run: 'run' }, 'run is not a function'],
    ['null', { client: null }, 'null is not a Redis client'],
    ['an address', { client: 'redis://:hunter2@localhost' }, 'A string is not a Redis client'],
    ['a bare object', { client: { get() {} } }, 'A value of class Object'],
  ] as const)('openConnection throws for %s', ([, options, message], { expect }) => {
    expect(() => open(options)).toThrow(expect.objectContaining({ code: 'HALT_E_REDIS_CLIENT' }))
    expect(() => open(options)).toThrow(message)
    expect(() => open(options)).not.toThrow('hunter2')
  })

  it('openConnection gives a fix for each wrong client', ({ expect }) => {
    expect(() => open({ client: Promise.resolve() })).toThrow('await it first')
    expect(() => open({ client: 'redis://localhost' })).toThrow('new Redis(url)')
    expect(() => open({ client: { evalsha() {}, createScript() {} } })).toThrow(
      'Give run: (script, keys, args)',
    )
    const client = createClient()
    expect(() => open({ client: client.multi() })).toThrow('Give a client of ioredis')
  })
})

describe('a connection over a runner', () => {
  it('a connection over a runner passes scripts on, and sends other commands inside a script', async ({
    scene,
    expect,
  }) => {
    const redis = new Redis(inject('redisUrl'), { keyPrefix: 'run:' })
    scene.defer(() => redis.disconnect())
    const run = vi.fn<Run>(async ({ source }, keys, args) =>
      redis.eval(source, keys.length, ...keys, ...args),
    )
    const connection = openConnection({ run, connection: 'own', warn: () => {} })
    await connection.opened
    expect(connection).toMatchObject({ topology: 'unknown', ready: true })
    const count = counting()
    const key = freshKey()
    expect(await connection.run(count, [key], ['3'])).toEqual([3, '1'])
    expect(run).toHaveBeenCalledWith(count, [key], ['3'])
    expect(await connection.command(['GET', key], key)).toBe('3')
    expect(await connection.command(['INCRBY', key, '4'], key)).toBe(7)
    expect(await redis.get(key)).toBe('7')
    expect(await connection.command(['DEL', key], key)).toBe(1)
    expect(await connection.command(['PING'], key)).toBe('PONG')
    expect(await connection.command(['PING'])).toBe('PONG')
    for (const [{ sha, source }] of run.mock.calls)
      expect(sha).toBe(createHash('sha1').update(source).digest('hex'))
    await connection.close()
  })

  it('a connection over a runner classifies its errors, thrown at once or later', async ({ expect }) => {
    const connection = openConnection({
      connection: 'own',
      warn: () => {},
      run: (_script, keys) => {
        if (keys.length === 0) throw new Error('fetch failed')
        return Promise.reject(new Error('NOPERM no'))
      },
    })
    expect(await failure(connection.run(counting(), [], []))).toMatchObject({ failure: 'unavailable' })
    expect(await failure(connection.run(counting(), ['k'], []))).toMatchObject({
      failure: 'misconfigured',
      reply: 'NOPERM',
    })
  })
})
