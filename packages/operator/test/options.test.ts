import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { expect, it } from 'vitest'

import { operator } from '../src/index.ts'

const store = new InMemoryStore()
const control = new Control({ store })
control.close()
const limiter = new RateLimiter({ store, policy: { name: 'a', limit: 1, window: 1 } })
const chooses = new RateLimiter({ store, policy: () => ({ name: 'a', limit: 1, window: 1 }) })
const bare = new RateLimiter({
  store: { evaluate: group => store.evaluate(group), forget: () => 0 },
  policy: { name: 'a', limit: 1, window: 1 },
})
const authorize = (): string => 'ann'

it.each([
  [undefined, 'HALT_E_OPTION'],
  [{ limiters: [], control, authorize }, 'HALT_E_OPTION'],
  [{ limiters: limiter, control, authorize }, 'HALT_E_OPTION'],
  [{ limiters: [{}], control, authorize }, 'HALT_E_OPTION'],
  [{ limiters: [null], control, authorize }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], authorize }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control, authorize: 'ann' }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control, authorize, reveal: 'yes' }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control, authorize, authorise: true }, 'HALT_E_UNKNOWN_FIELD'],
  [{ limiters: [{ limiter: chooses, plans: [] }], control, authorize }, 'HALT_E_OPTION'],
  [{ limiters: [chooses], plans: { free: [] }, control, authorize }, 'HALT_E_OPTION'],
  [{ limiters: [chooses], plans: { free: ['x'] }, control, authorize }, 'HALT_E_OPTION'],
  [{ limiters: [chooses], plans: 'free', control, authorize }, 'HALT_E_OPTION'],
  [{ limiters: [chooses], planOf: 'free', control, authorize }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control, authorize, shedders: 'shop' }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control, authorize, shedders: [] }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control, authorize, shedders: { shop: null } }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control, authorize, shedders: { shop: {} } }, 'HALT_E_OPTION'],
  [
    { limiters: [limiter], control, authorize, shedders: { shop: { state: { limit: '9' } } } },
    'HALT_E_OPTION',
  ],
  [{ limiters: [limiter], control, authorize, hosts: 'ops.internal' }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control, authorize, hosts: [] }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control, authorize, hosts: ['http://ops.internal'] }, 'HALT_E_OPTION'],
  [{ limiters: [limiter], control, authorize, hosts: ['ops.internal/halt'] }, 'HALT_E_OPTION'],
  [{ limiters: [bare], control, authorize }, 'HALT_E_OPTION'],
])('the options %# are refused with a code', (options, code) => {
  expect(() => operator(options as never)).toThrow(expect.objectContaining({ code }))
})
