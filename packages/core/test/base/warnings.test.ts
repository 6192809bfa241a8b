import { afterEach, describe, expect, it, vi } from 'vitest'

import { type HaltWarning, RateLimiter, warnOnce } from '../../src/index.ts'
import { ManualClock, ReferenceStore } from '../../src/testing/index.ts'
import { view } from '../world.ts'

const warning = (code: HaltWarning['code'], message = 'Something is misconfigured.'): HaltWarning => ({
  code,
  message,
  fix: 'Change it.',
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe('warnOnce', () => {
  it('warnOnce passes each code on once per receiver', () => {
    const [first, second]: [string[], string[]] = [[], []]
    const one = warnOnce(({ code }) => void first.push(code))
    const other = warnOnce(({ code }) => void second.push(code))
    for (const code of ['HALT_W_AUTOVACUUM', 'HALT_W_CALLBACK', 'HALT_W_AUTOVACUUM'] as const)
      one(warning(code))
    other(warning('HALT_W_AUTOVACUUM'))
    expect(first).toEqual(['HALT_W_AUTOVACUUM', 'HALT_W_CALLBACK'])
    expect(second).toEqual(['HALT_W_AUTOVACUUM'])
  })

  it('warnOnce survives a receiver that throws', () => {
    const warn = warnOnce(() => {
      throw new Error('broken')
    })
    expect(() => warn(warning('HALT_W_AUTOVACUUM'))).not.toThrow()
  })

  it('warnOnce prints each code once per process, through process.emitWarning, with the fix and the page', () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const code = `HALT_W_TEST_${Math.random().toString(36).slice(2).toUpperCase()}` as HaltWarning['code']
    warnOnce()(warning(code))
    warnOnce()(warning(code))
    expect(emit).toHaveBeenCalledTimes(1)
    const [text, options] = emit.mock.calls[0] as unknown as [string, { code: string; type: string }]
    expect(text).toBe(
      `Something is misconfigured. Change it. (https://github.com/halt-limits/halt/blob/main/docs/errors/${code}.md)`,
    )
    expect(options).toEqual({ type: 'HaltWarning', code })
  })

  it('warnOnce prints through the console if there is no process', () => {
    const printed = vi.spyOn(console, 'warn').mockImplementation(() => {})
    vi.stubGlobal('process', undefined)
    const code = `HALT_W_TEST_${Math.random().toString(36).slice(2).toUpperCase()}` as HaltWarning['code']
    try {
      warnOnce()(warning(code))
    } finally {
      vi.unstubAllGlobals()
    }
    expect(printed).toHaveBeenCalledTimes(1)
    expect(printed.mock.calls[0]?.[0]).toContain(`${code}: Something is misconfigured.`)
  })
})

describe('a limiter without warn', () => {
  it('a limiter without warn warns once per process, even if two limiters notice the same mistake', async () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const codes = (): unknown[] => emit.mock.calls.map(call => (call[1] as unknown as { code: string }).code)
    const store = new ReferenceStore(new ManualClock().now)
    for (let i = 0; i < 2; i++) {
      const limiter = new RateLimiter({ store, policy: { name: 'p', limit: 1, window: 1 } })
      for (let j = 0; j < 3; j++) await limiter.check(view({ ip: undefined }))
    }
    expect(codes().filter(code => code === 'HALT_W_NO_ADDRESS')).toHaveLength(1)
  })
})
