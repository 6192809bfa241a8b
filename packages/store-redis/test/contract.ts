// One contract for every way to Redis. It imports no test library, because Bun runs it too.
import { RateLimiter } from '@halt/core'

import type { RedisStore } from '../src/index.ts'

/** The results of {@link contract}. */
export interface Readings {
  /** Units left after each admitted request, and the first word of the refusal. */
  readonly decided: readonly (number | string)[]
  readonly degraded: readonly (string | false)[]
  /** Counters that `reset` deleted. */
  readonly forgotten: number
  readonly afterReset: number
  /** Whether the first and the second caller in a line had to wait. */
  readonly waited: readonly boolean[]
  readonly document: unknown
  readonly warnings: readonly string[]
}

/** The readings of a store that works. */
export const WORKS: Readings = {
  decided: [1, 0, 'limited'],
  degraded: [false, false, false],
  forgotten: 1,
  afterReset: 1,
  waited: [false, true],
  document: 'Übung 🙂 "\\\u0000"',
  warnings: [],
}

/** Decides, refuses, forgets, waits, and keeps a document, with a store that nobody else uses. */
export async function contract(store: RedisStore): Promise<Readings> {
  const warnings: string[] = []
  const options = {
    store,
    storeTimeout: '20s',
    warn: ({ code }: { code: string }) => void warnings.push(code),
  } as const
  const limiter = new RateLimiter({
    ...options,
    policy: { name: 'api', limit: 2, window: '1h', keyStrategy: 'user' },
  })
  const line = new RateLimiter({ ...options, policy: { name: 'line', limit: 20, window: 1, burst: 1 } })

  const ann = { user: 'ann' }
  const decisions = []
  for (let i = 0; i < 3; i++) decisions.push(await limiter.consume(ann))
  const forgotten = await limiter.reset(ann)
  const again = await limiter.consume(ann)
  const [first, second] = await Promise.all([line.acquire(ann), line.acquire(ann)])

  const document = store.document('notes')
  await document.write('Übung 🙂 "\\\u0000"', '0')
  const readings = {
    decided: decisions.map(({ allowed, remaining, reason }) => (allowed ? remaining : reason)),
    degraded: decisions.map(({ degraded }) => degraded),
    forgotten,
    afterReset: again.remaining,
    waited: [first, second].map(({ waitedMs }) => (waitedMs ?? 0) > 0),
    document: (await document.read())?.text,
    warnings,
  }
  await Promise.all([limiter.close(), line.close()])
  return readings
}
