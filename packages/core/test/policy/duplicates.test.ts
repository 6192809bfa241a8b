import { describe, expect, it } from 'vitest'

import type { Policy } from '../../src/index.ts'
import { mistake, world } from '../world.ts'

const policy = (name: string, more: Partial<Policy> = {}): Policy =>
  ({ name, limit: 10, window: 60, ...more }) as Policy

describe('two policies of one list', () => {
  it.each([
    ['one name, the same numbers', policy('a'), policy('a')],
    ['one name, other numbers', policy('a'), policy('a', { limit: 5 })],
    ['one counter', policy('a', { counter: 'c' }), policy('b', { counter: 'c' })],
    ['the name of one as the counter of the other', policy('a'), policy('b', { counter: 'a' })],
  ])('two policies of one list are refused when they have %s', (_how, one, other) => {
    const error = mistake(() => world().limiter([one, other]))
    expect(error.code).toBe('HALT_E_DUPLICATE_POLICY')
    expect(error.message).toMatch(/"[ab]"/)
  })

  it('two policies of one list may share a counter name if their algorithms differ', () => {
    const list = [policy('a', { counter: 'c' }), policy('b', { counter: 'c', algorithm: 'fixed-window' })]
    expect(world().limiter(list).policies).toHaveLength(2)
  })

  it('two policies of one name are refused in the options of a call too', () => {
    const limiter = world().limiter(policy('a'))
    expect(mistake(() => limiter.compile([policy('x'), policy('x')])).code).toBe('HALT_E_DUPLICATE_POLICY')
    expect(mistake(() => limiter.compile(policy('x'), policy('x'))).code).toBe('HALT_E_DUPLICATE_POLICY')
  })
})
