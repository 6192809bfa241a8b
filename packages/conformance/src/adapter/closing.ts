import type { ConcurrencyPolicy } from '@halt/core'
import type { Store } from '@halt/core/store'

import { type Bench, gate, limitOf, pause } from './bench.ts'
import type { TestFunctions } from './test-functions.ts'

const REQUESTS = 20
const BUSY: ConcurrencyPolicy = { name: 'busy', algorithm: 'concurrency', limit: REQUESTS, ttl: 600 }

/** Requests that end while their process closes the limiter. */
export function testClosing({ describe, it, expect, adapter }: TestFunctions): void {
  const status = (response: unknown): number => adapter.status(response as never)

  describe('close()', () => {
    for (const [when, opensGate] of [
      ['have ended', 'before'],
      ['end meanwhile', 'after'],
    ] as const)
      it(`close() records each of ${REQUESTS} requests that ${when}: charges, refunds and places`, async bench => {
        const own = closableStore(bench)
        const policy = [limitOf(2 * REQUESTS, { inFlight: REQUESTS }), BUSY]
        const limiter = bench.limiter(policy, { store: own.store })
        const { passed, open } = gate()
        let started = 0
        const client = await bench.serve(
          [
            {
              limiter,
              // Half of them know at once whether the request counts.
              chargeWhen: response =>
                started++ % 2 === 0
                  ? status(response) === 401
                  : pause(5).then(() => status(response) === 401),
            },
          ],
          {
            async handle() {
              const code = client.calls.length % 2 === 0 ? 401 : 200
              await passed
              return { status: code, body: '' }
            },
          },
        )
        const answers = Array.from({ length: REQUESTS }, () => client.post('/login'))
        await bench.eventually('the handlers', () => client.calls.length === REQUESTS)
        own.slowDown()
        if (opensGate === 'before') {
          open()
          await Promise.all(answers)
        }
        const closed = limiter.close()
        open()
        const statuses = (await Promise.all(answers)).map(answer => answer.status)
        await closed
        const failed = statuses.filter(code => code === 401).length
        expect([failed, statuses.length]).toEqual([REQUESTS / 2, REQUESTS])
        const after = bench.limiter(policy)
        expect([await bench.left(after), await bench.left(after, 'busy')]).toEqual([
          2 * REQUESTS - failed,
          REQUESTS,
        ])
        // A suite makes a limiter for each test, which Halt may take for a limiter per request.
        expect(bench.warned.filter(code => code !== 'HALT_W_LIMITER_PER_REQUEST')).toEqual([])
      })
  })
}

/** The store of a test, which answers late once it is slow, and nobody once it was closed. */
function closableStore({ store }: Bench): { readonly store: Store; slowDown(): void } {
  let [isSlow, isClosed] = [false, false]
  const ask = <T>(call: () => T | Promise<T>): T | Promise<T> => {
    if (isClosed) throw new Error('The store was closed')
    return isSlow ? pause(40).then(call) : call()
  }
  return {
    slowDown: () => void (isSlow = true),
    store: {
      evaluate: group => ask(() => store.evaluate(group)),
      forget: counters => ask(() => store.forget(counters)),
      close: () => void (isClosed = true),
    },
  }
}
