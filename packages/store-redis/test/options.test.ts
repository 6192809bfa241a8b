import { expect, it } from 'vitest'

import { RedisStore } from '../src/index.ts'

it.each([undefined, {}, { client: {} }, { client: {}, prefix: '{' }, { run: 5 }])(
  'the stack of an option error (%o) begins where the user made the mistake',
  options => {
    expect(firstLine(() => new RedisStore(options as never))).toContain('options.test.ts')
  },
)

/** The first line of the stack of the error that a call throws. */
function firstLine(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).stack?.split('\n')[1] ?? ''
  }
  return 'nothing was thrown'
}

it.each([() => Number.NaN, () => 1.7e18, (async () => Promise.reject(new Error('no'))) as never])(
  'a clock that gives no instant is a misconfiguration',
  async clock => {
    const store = new RedisStore({ run: async () => [], clock })
    await expect(store.evaluate({ demands: [] })).rejects.toMatchObject({ failure: 'misconfigured' })
  },
)

it.each(['url', 'host', 'redisUrl'])(
  'an address (%s) in place of a client gets an error that shows the client',
  name => {
    const options = { [name]: 'redis://localhost:6379' }
    expect(() => new RedisStore(options as never)).toThrow(
      `RedisStore has no option "${name}". Give it a client: new RedisStore({ client: new Redis(url) })`,
    )
  },
)
