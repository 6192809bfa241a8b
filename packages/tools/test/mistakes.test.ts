import { describe, expect, it } from 'vitest'

import { scene } from './scene.ts'

describe('mistakes', () => {
  const code = (make: () => unknown): string => {
    try {
      make()
    } catch (error) {
      return (error as { readonly code: string }).code
    }
    return expect.fail('no error')
  }

  it.each<[string, string, Parameters<typeof scene>[0]]>([
    ['a limiter that is none', 'HALT_E_LIMITER', { limiter: {} as never }],
    ['no who', 'HALT_E_OPTION', { who: undefined as never }],
    ['a who that is no name', 'HALT_E_IDENTITY', { who: '' }],
    ['a who that is not an identity', 'HALT_E_IDENTITY', { who: {} as never }],
    ['tools that are a list', 'HALT_E_OPTION', { tools: [] as never }],
    ['settings that are a number', 'HALT_E_TOOL', { tools: { a: 5 as never } }],
    ['an unknown option', 'HALT_E_UNKNOWN_FIELD', { tool: {} } as never],
    ['an unknown field of a tool', 'HALT_E_UNKNOWN_FIELD', { tools: { a: { windw: 1 } as never } }],
    ['a limit without a window', 'HALT_E_WINDOW', { tools: { a: { limit: 1 } as never } }],
    ['a limit of 0', 'HALT_E_LIMIT', { tools: { '*': { limit: 0, window: 1 } } }],
    ['a cost of -1', 'HALT_E_COST', { tools: { a: { cost: -1 } } }],
    ['a settle that is no function', 'HALT_E_TOOL', { tools: { a: { settle: 1 as never } } }],
    ['hold without settle', 'HALT_E_TOOL', { tools: { a: { hold: '1m' } } }],
    ['hold of a day and an hour', 'HALT_E_TTL', { tools: { a: { hold: '25h', settle: () => 1 } } }],
    ['hold without a quota', 'HALT_E_TOOL', { tools: { a: { hold: '1m', settle: () => 1 } } }],
    ['hold with delay', 'HALT_E_TOOL', { tools: { a: { hold: '1m', settle: () => 1, delay: {} } } }],
    ['a wait of a year', 'HALT_E_MAX_WAIT', { tools: { a: { delay: { maxWait: '365d' } } } }],
    ['repeats of 0', 'HALT_E_OPTION', { repeats: 0 }],
    [
      'two limits of one name',
      'HALT_E_DUPLICATE_POLICY',
      { tools: { a: { name: 'tool_calls', limit: 1, window: 1 } } },
    ],
    ['a name that cannot name a policy', 'HALT_E_TOOL', { tools: { 'a/b': { limit: 1, window: 1 } } }],
  ])('%s is %s', (_, expected, options) => {
    expect(code(() => scene(options))).toBe(expected)
  })

  it('a tool that is not listed is refused where it is given to the guard', () => {
    const { guard } = scene({ tools: { send_mail: {} } })
    expect(() => guard.wrap('sendMail', () => 1)).toThrow(
      `HALT_E_TOOL: The tool "sendMail" is not listed. Name it in tools (send_mail), or say what holds for all others: '*': {}.`,
    )
    expect(code(() => guard.aiSdk({ other: { execute: () => 1 } }))).toBe('HALT_E_TOOL')
    expect(code(() => guard.mcp('constructor', () => 1))).toBe('HALT_E_TOOL')
    expect(code(() => guard.limits('*'))).toBe('HALT_E_TOOL')
  })

  it('a limiter whose policies depend on the request is refused', () => {
    expect(code(() => scene({}, { policy: (() => []) as never }))).toBe('HALT_E_POLICY_REQUIRED')
  })
})
