import { InMemoryStore } from '@halt/store-memory'
import { describe, expect, it } from 'vitest'

import { halt } from '../src/index.ts'
import { makeApp, makeLimiter } from './server.ts'

const tight = { name: 'tight', limit: 1, window: 60 }

describe('a wrong option', () => {
  it('a wrong option of a route rejects ready() with its code and the route', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter() })
    app.post('/login', { config: { halt: { policy: { ...tight, limit: 0 } } } }, () => 'ok')
    await expect(app.ready()).rejects.toMatchObject({
      code: 'HALT_E_LIMIT',
      message: expect.stringContaining('POST /login: '),
    })
  })

  it.each([
    ['an unknown field', { polizy: tight }, 'HALT_E_UNKNOWN_FIELD'],
    ['a wrong hook', { hook: 'onSend' }, 'HALT_E_OPTION'],
    ['true', true, 'HALT_E_OPTION'],
    ['a wrong cost', { cost: -1 }, 'HALT_E_COST'],
    ['a name that another policy has', { policy: { ...tight, name: 'global' } }, 'HALT_E_DUPLICATE_POLICY'],
    ['override without a policy', { override: true }, 'HALT_E_OPTION'],
    ['two answers', { onLimited: () => {}, throwOnLimited: true }, 'HALT_E_OPTION'],
  ])('a wrong config.halt rejects ready() with a code: %s', async (_what, config, code) => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter() })
    app.get('/', { config: { halt: config as never } }, () => 'ok')
    await expect(app.ready()).rejects.toMatchObject({ code })
  })

  it.each([
    ['no policy', {}, 'HALT_E_POLICY'],
    ['an unknown option', { limiter: makeLimiter(), window: 1 }, 'HALT_E_UNKNOWN_FIELD'],
    [
      'a limiter beside its options',
      { limiter: makeLimiter(), store: new InMemoryStore() },
      'HALT_E_LIMITER',
    ],
    [
      'a prefix, which such a plugin ignores',
      { limiter: makeLimiter(), prefix: '/x' },
      'HALT_E_UNKNOWN_FIELD',
    ],
  ])('a wrong option of the plugin rejects: %s', async (_what, options, code) => {
    const app = makeApp()
    const registered = Promise.resolve(app.register(halt, options as never))
    await expect(registered).rejects.toMatchObject({ code })
  })

  it('a wrong option of app.halt() throws at the call', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter() })
    expect(() => app.halt({ policy: { ...tight, limit: 0 } })).toThrow(
      expect.objectContaining({ code: 'HALT_E_LIMIT' }),
    )
  })
})
