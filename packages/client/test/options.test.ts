import { describe, expect, it } from 'vitest'

import { limitedDispatch, limitedFetch } from '../src/index.ts'
import { limiterOf } from './scene.ts'

const { limiter } = limiterOf()

describe.each([
  ['limitedFetch', limitedFetch],
  ['limitedDispatch', limitedDispatch],
] as const)('%s', (name, make) => {
  it.each([
    ['no options', undefined, 'HALT_E_OPTION'],
    ['no limiter', {}, 'HALT_E_LIMITER'],
    ['the options of a limiter', { limiter: { policy: {} } }, 'HALT_E_LIMITER'],
    ['an unknown option', { limiter, maxwait: 1 }, 'HALT_E_UNKNOWN_FIELD'],
    ['an unknown option of retry', { limiter, retry: { times: 3 } }, 'HALT_E_UNKNOWN_FIELD'],
    ['a key that is a number', { limiter, key: 7 }, 'HALT_E_OPTION'],
    ['a policy that is a name', { limiter, policy: 'api' }, 'HALT_E_OPTION'],
    ['a cost that is text', { limiter, cost: '1' }, 'HALT_E_OPTION'],
    ['learn that is text', { limiter, learn: 'yes' }, 'HALT_E_OPTION'],
    ['a retry that is true', { limiter, retry: true }, 'HALT_E_OPTION'],
    ['a status that is no error', { limiter, retry: { on: [200] } }, 'HALT_E_OPTION'],
    ['a status below 400', { limiter, retry: { on: [399] } }, 'HALT_E_OPTION'],
    ['a status above 599', { limiter, retry: { on: [600] } }, 'HALT_E_OPTION'],
    ['a negative most', { limiter, retry: { most: -1 } }, 'HALT_E_OPTION'],
    ['a most of 101', { limiter, retry: { most: 101 } }, 'HALT_E_OPTION'],
    ['methods that are no list', { limiter, retry: { methods: 'POST' } }, 'HALT_E_OPTION'],
    ['maxWait 0', { limiter, maxWait: 0 }, 'HALT_E_MAX_WAIT'],
    ['maxWait NaN', { limiter, maxWait: Number.NaN }, 'HALT_E_MAX_WAIT'],
    ['a negative maxWait', { limiter, maxWait: -1 }, 'HALT_E_MAX_WAIT'],
    ['maxWait above 24 hours', { limiter, maxWait: '25h' }, 'HALT_E_MAX_WAIT'],
  ])('a limited client throws for %s', (_name, options, code) => {
    expect(() => make(options as never)).toThrow(expect.objectContaining({ code }))
  })

  it.each([{ most: 0 }, { most: 100 }, { on: [400, 599] }])(
    'a limited client takes the bounds of retry: %j',
    retry => {
      expect(() => make({ limiter, retry } as never)).not.toThrow()
    },
  )

  it('a limited client names itself in the error', () => {
    expect(() => make({} as never)).toThrow(name)
  })
})

describe('limitedFetch', () => {
  it.each(['key', 'cost'])('limitedFetch rejects if %s is async, and the process goes on', async name => {
    const late = async (): Promise<never> => Promise.reject(new Error('no'))
    const call = limitedFetch({ limiter, [name]: late })('http://localhost/')
    await expect(call).rejects.toThrow(`${name} returned a promise, and Halt does not wait for it.`)
  })

  it('limitedFetch refuses a fetch that is not a function', () => {
    expect(() => limitedFetch({ limiter, fetch: {} as never })).toThrow(
      expect.objectContaining({ code: 'HALT_E_OPTION' }),
    )
  })

  it('limitedFetch rejects for an invalid address, and does not throw', async () => {
    await expect(limitedFetch({ limiter })('no address')).rejects.toThrow(TypeError)
  })
})
