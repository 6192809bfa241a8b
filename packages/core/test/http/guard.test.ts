import { afterEach, describe, expect, it, vi } from 'vitest'

import type { Policy, RequestView } from '../../src/index.ts'
import { checkGuardOptions, guard, type GuardOptions } from '../../src/http/index.ts'
import { mistake, view, world } from '../world.ts'

const policy: Policy = { name: 'p', limit: 10, window: 60, algorithm: 'fixed-window' }
const code = (options: Record<string, unknown>): string =>
  mistake(() => guard(world().limiter(policy), options as GuardOptions)).code
/** The units left after one request through a guard. */
async function left(options: GuardOptions, request: RequestView = view()): Promise<number> {
  const limiter = world().limiter(policy)
  await guard(limiter, options).enter(request)
  return (await limiter.peek(view())).remaining
}
afterEach(() => void vi.useRealTimers())

describe('the options of a guard', () => {
  it.each([
    ['cost', null, 'HALT_E_COST'],
    ['cost', Number.NaN, 'HALT_E_COST'],
    ['cost', -1, 'HALT_E_COST'],
    ['cost', '1', 'HALT_E_COST'],
    ['cost', { p: '1' }, 'HALT_E_COST'],
    ['cost', [1], 'HALT_E_COST'],
    ['costOnError', Infinity, 'HALT_E_COST'],
    ['costOnError', () => 1, 'HALT_E_COST'],
    ['skip', true, 'HALT_E_OPTION'],
    ['chargeWhen', 'error', 'HALT_E_OPTION'],
    ['onLimited', 'x', 'HALT_E_OPTION'],
    ['headers', 'draft-5', 'HALT_E_HEADERS'],
    ['errorFormat', 'xml', 'HALT_E_OPTION'],
    ['errorFormat', null, 'HALT_E_OPTION'],
    ['statusCode', 200, 'HALT_E_OPTION'],
    ['statusCode', 429.5, 'HALT_E_OPTION'],
    ['statusCode', '429', 'HALT_E_OPTION'],
    ['policy', { name: 'p', limit: 0, window: 1 }, 'HALT_E_LIMIT'],
  ])('a guard refuses %s: %o', (name, value, expected) => {
    expect(code({ [name]: value })).toBe(expected)
  })

  it('a guard refuses unknown names next to an adapter’s own', () => {
    expect(mistake(() => checkGuardOptions({ skipIf: true } as GuardOptions, ['limiter'])).code).toBe(
      'HALT_E_UNKNOWN_FIELD',
    )
    expect(() =>
      checkGuardOptions({ limiter: 1, cost: 1, skip: undefined } as GuardOptions, ['limiter']),
    ).not.toThrow()
  })

  it('a guard refuses policies that would charge a counter twice', () => {
    const limiter = world().limiter(policy)
    expect(mistake(() => guard(limiter, {}, policy)).code).toBe('HALT_E_DUPLICATE_POLICY')
  })
})

describe('skip', () => {
  it.each([
    ['true', () => true, 10],
    ['true later', async () => true, 10],
    ['false', () => false, 9],
    ['anything else', () => 'yes', 9],
    [
      'an error',
      () => {
        throw new Error('x')
      },
      9,
    ],
    ['a rejection', () => Promise.reject(new Error('x')), 9],
  ])('only a skip of true leaves a request uncounted: %s', async (_what, skip, expected) => {
    expect(await left({ skip: skip as () => boolean })).toBe(expected)
  })

  it('a skipped request has no decision and no headers', async () => {
    const outcome = await guard(world().limiter(policy), { skip: () => true }).enter(view())
    expect(outcome).toMatchObject({
      pass: true,
      decision: undefined,
      status: 200,
      headers: {},
      body: undefined,
      charged: false,
      binding: false,
    })
  })
})

describe('a CORS preflight', () => {
  const preflight = view({
    method: 'OPTIONS',
    headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
  })

  it('a CORS preflight is not counted unless skipPreflight is false', async () => {
    expect(await left({}, preflight)).toBe(10)
    expect(await left({ skipPreflight: false }, preflight)).toBe(9)
  })

  it('a CORS preflight needs the header and the method', async () => {
    expect(await left({}, view({ method: 'OPTIONS' }))).toBe(9)
    expect(await left({}, { ...preflight, method: 'POST' })).toBe(9)
  })
})

describe('the end of a response', () => {
  const chargeWhen = ({ status }: { status: number }): boolean => status >= 400

  it('the end of a response refunds the charge when chargeWhen returns false', async () => {
    const limiter = world().limiter(policy)
    const entering = guard(limiter, { chargeWhen })
    for (const response of [{ status: 200 }, { status: 401 }, undefined]) {
      entering.leave(await entering.enter(view()), response)
    }
    await new Promise(resolve => setImmediate(resolve))
    // The good request is refunded. The failed one and the aborted one stay charged.
    expect((await limiter.peek(view())).remaining).toBe(8)
  })

  it('a chargeWhen that throws keeps the charge, and warns', async () => {
    const { limiter, codes } = world()
    const one = limiter(policy)
    const entering = guard(one, {
      chargeWhen: () => {
        throw new Error('x')
      },
    })
    entering.leave(await entering.enter(view()), {})
    await new Promise(resolve => setImmediate(resolve))
    expect((await one.peek(view())).remaining).toBe(9)
    expect(codes()).toEqual(['HALT_W_CALLBACK'])
  })

  it('the end of a response ends a request in flight, once', async () => {
    const limiter = world().limiter({ name: 'f', limit: 1, algorithm: 'concurrency', ttl: 60 })
    const entering = guard(limiter)
    const outcome = await entering.enter(view())
    expect((await entering.enter(view())).pass).toBe(false)
    entering.leave(outcome)
    entering.leave(outcome)
    await new Promise(resolve => setImmediate(resolve))
    expect((await entering.enter(view())).pass).toBe(true)
    expect((await entering.enter(view())).pass).toBe(false)
  })

  it('a guard needs the response only for policies or options that use it', () => {
    const { limiter } = world()
    const flight: Policy = { name: 'f', limit: 1, algorithm: 'concurrency', ttl: 60 }
    expect(guard(limiter(policy)).needsResponse).toBe(false)
    expect(guard(limiter(policy), { chargeWhen: () => true }).needsResponse).toBe(true)
    expect(guard(limiter(flight)).needsResponse).toBe(true)
    expect(guard(limiter(policy), {}, flight).needsResponse).toBe(true)
    expect(guard(limiter(policy), { policy: flight }).needsResponse).toBe(true)
    expect(guard(limiter(() => policy)).needsResponse).toBe(true)
  })
})
