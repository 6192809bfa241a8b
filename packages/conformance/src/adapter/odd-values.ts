import type { RateLimiterOptions, RatePolicy } from '@halt/core'

import { type Bench, limitOf, pause } from './bench.ts'
import type { Client } from './client.ts'
import type { SuiteOptions } from './contract.ts'
import type { TestFunctions } from './test-functions.ts'

/** Makes values that throw when they are converted to a text or a property of them is read. */
function oddValues(): unknown[] {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const broken = (): never => {
    throw new Error('a getter broke')
  }
  return [
    Object.create(null),
    Symbol('odd'),
    Object.defineProperty(new Error('odd'), 'message', { value: Symbol('odd') }),
    Object.defineProperty(new Error('odd'), 'message', { get: broken }),
    // oxlint-disable-next-line unicorn/no-thenable -- that is the point
    Object.defineProperties({}, { then: { get: broken }, getStatus: { get: broken } }),
    proxy,
    undefined,
    null,
  ]
}

type Callback = () => never
interface Setting {
  readonly policy?: RateLimiterOptions['policy']
  readonly limiter?: Partial<RateLimiterOptions>
  readonly guard?: Partial<SuiteOptions>
}

const keyed = (fields: Partial<RatePolicy>): RatePolicy => limitOf(1000, fields)

/** The options that take a function, and for each a set-up in which it is called. */
const PLACES: Readonly<Record<string, (odd: Callback) => Setting>> = {
  keyExtractor: odd => ({ policy: keyed({ keyExtractor: odd }) }),
  policy: odd => ({ policy: odd, limiter: { fallbackPolicy: limitOf(1000) } }),
  userId: odd => ({ policy: keyed({ keyStrategy: 'user' }), limiter: { userId: odd } }),
  apiKey: odd => ({ policy: keyed({ keyStrategy: 'api-key' }), limiter: { apiKey: odd } }),
  clientIp: odd => ({ limiter: { clientIp: odd } }),
  trustedProxies: odd => ({ limiter: { trustedProxies: odd } }),
  telemetry: odd => ({
    limiter: { telemetry: { onCheck: odd, onAllowed: odd, onBlocked: odd, onExempt: odd } },
  }),
  skip: odd => ({ guard: { skip: odd } }),
  cost: odd => ({ guard: { cost: odd, costOnError: 1 } }),
  headers: odd => ({ guard: { headers: odd } }),
  chargeWhen: odd => ({ guard: { chargeWhen: odd } }),
  idempotencyKey: odd => ({ guard: { idempotencyKey: odd } }),
  onLimited: odd => ({ guard: { onLimited: odd, cost: 2000 } }),
}

const WAYS: Readonly<Record<string, (value: unknown) => unknown>> = {
  throws: value => {
    throw value
  },
  'rejects with': value => Promise.reject(value as Error),
  returns: value => value,
  'resolves to': async value => value,
}

/** Functions of the application that throw, reject with or return odd values. */
export function testOddValues({ describe, it, expect }: TestFunctions): void {
  const serve = (bench: Bench, { policy = limitOf(1000), limiter, guard }: Setting): Promise<Client> =>
    bench.serve([{ limiter: bench.limiter(policy, { callbackTimeout: '30ms', ...limiter }), ...guard }])

  describe('a function of the application that gives odd values', () => {
    for (const [place, setUp] of Object.entries(PLACES))
      for (const [way, give] of Object.entries(WAYS))
        it(`no request fails and no process ends where ${place} ${way} odd values`, async bench => {
          const values = oddValues()
          let asked = 0
          const odd = (): unknown => give(values[asked++ % values.length])
          const { unheard, stop } = listen()
          const client = await serve(bench, setUp(odd as Callback))
          const statuses = new Set(await client.statuses(values.length))
          await pause(10)
          stop()
          expect(asked >= values.length).toBe(true)
          expect([...statuses]).toEqual([place === 'onLimited' ? 429 : 200])
          expect(unheard.length).toBe(0)
        })

    it('no request fails and no process ends where warn throws odd values', async bench => {
      const { unheard, stop } = listen()
      let warned = 0
      for (const value of oddValues()) {
        const warn = (): never => {
          warned++
          throw value
        }
        const setting = { policy: keyed({ keyExtractor: WAYS['throws'] as never }), limiter: { warn } }
        expect((await (await serve(bench, setting)).get()).status).toBe(200)
      }
      await pause(10)
      stop()
      expect(warned >= oddValues().length).toBe(true)
      expect(unheard.length).toBe(0)
    })
  })
}

interface ProcessLike {
  on(event: string, listener: (error: unknown) => void): unknown
  off(event: string, listener: (error: unknown) => void): unknown
}

/** Collects errors that would end the process. */
function listen(): { readonly unheard: unknown[]; readonly stop: () => void } {
  const { process } = globalThis as unknown as { process?: ProcessLike }
  const unheard: unknown[] = []
  const hear = (error: unknown): void => void unheard.push(error)
  const events = ['unhandledRejection', 'uncaughtException']
  for (const event of events) process?.on(event, hear)
  return {
    unheard,
    stop: () => {
      for (const event of events) process?.off(event, hear)
    },
  }
}
