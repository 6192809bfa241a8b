import { type HaltWarning, silence } from '@halt/core'
import { describe, expect, it, vi } from 'vitest'

import { halt } from '../src/index.ts'
import { listen, makeApp, makeLimiter, statuses } from './server.ts'

const tight = { name: 'tight', limit: 1, window: 60 }

describe('a route declared before the plugin was loaded', () => {
  it.each([true, false])('an early route has its config.halt, and a warning (global: %s)', async global => {
    const warnings: HaltWarning[] = []
    const app = makeApp()
    void app.register(halt, {
      limiter: makeLimiter(10, { warn: warning => warnings.push(warning) }),
      global,
    })
    app.get('/tight', { config: { halt: { policy: tight } } }, () => 'ok')
    app.get('/free', { config: { halt: false } }, () => 'ok')
    app.get('/', () => 'ok')
    const get = await listen(app)
    expect(await statuses(2, () => get('/tight'))).toEqual([200, 429])
    expect((await get('/free')).headers.has('ratelimit-limit')).toBe(false)
    expect((await get('/')).headers.get('ratelimit-remaining')).toBe(global ? '8' : null)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_ROUTE_BEFORE_PLUGIN'])
  })

  const wrong = [{ policy: { ...tight, limit: 0 } }, { cost: -1 }, { polizy: tight }] as const
  const codes = ['HALT_E_LIMIT', 'HALT_E_COST', 'HALT_E_UNKNOWN_FIELD']

  it.each([true, false])(
    'Halt reports each wrong config.halt of an early route (global: %s)',
    async global => {
      const warnings: HaltWarning[] = []
      const app = makeApp()
      const limiter = makeLimiter(4, { warn: warning => warnings.push(warning) })
      void app.register(halt, { limiter, global })
      app.get('/right', { config: { halt: {} } }, () => 'ok')
      for (const [i, config] of wrong.entries())
        app.get(`/wrong${i}`, { config: { halt: config as never } }, () => 'ok')
      const get = await listen(app)
      for (const path of ['/right', '/wrong0', '/wrong1', '/wrong2'])
        expect((await get(path)).status).toBe(200)
      expect((await get('/wrong0')).status).toBe(global ? 429 : 200)
      expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['HALT_W_ROUTE_BEFORE_PLUGIN']))
      const [right = '', ...mistakes] = warnings.map(({ message }) => message)
      expect(right).toContain('GET /right was declared before the plugin was loaded; ')
      expect(mistakes).toEqual(
        codes.map((code, i) => expect.stringMatching(new RegExp(`GET /wrong${i} .* is wrong.*: ${code}: `))),
      )
      expect(mistakes[0]).toContain(global ? 'only the global limit applies' : 'it is not limited')
    },
  )

  it('Halt reports errors by process.emitWarning if there is no warn option, unless they are silenced', async () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const app = makeApp()
    void app.register(halt, { limiter: makeLimiter(9) })
    for (const [i, config] of wrong.entries())
      app.get(`/wrong${i}`, { config: { halt: config as never } }, () => 'ok')
    const get = await listen(app)
    await get('/wrong0')
    await get('/wrong1')
    silence('HALT_W_ROUTE_BEFORE_PLUGIN')
    await get('/wrong2')
    expect(emit.mock.calls).toEqual(
      [0, 1].map(i => [
        expect.stringContaining(codes[i] as string),
        { type: 'HaltWarning', code: 'HALT_W_ROUTE_BEFORE_PLUGIN' },
      ]),
    )
    emit.mockRestore()
  })
})
