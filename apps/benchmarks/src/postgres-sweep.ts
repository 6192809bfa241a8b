import { RateLimiter } from '@halt/core'
import { PostgresStore, schema } from '@halt/store-postgres'
import pg from 'pg'

import { quantile } from './cpu.ts'

/** A sweep of idle counters while checks go on. */
export interface SweepRun {
  readonly seconds: number
  readonly removed: number
  /** The longest check meanwhile, and the 99th percentile, in milliseconds. */
  readonly longest: number
  readonly p99: number
}

/** Fills a table with idle counters and sweeps it, while one check after the other is made. */
export async function sweepIdle(url: string, counters: number): Promise<SweepRun> {
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  await pool.query(schema({ schema: 'swept' }))
  await pool.query(
    `INSERT INTO swept.counters
     SELECT '|ip:' || i || ' api:t', ARRAY[0, 1, 600000, 600000, 1]::float8[], 600001 FROM generate_series(1, ${counters}) i`,
  )
  const store = new PostgresStore({ query: pool, schema: 'swept' })
  const policy = { name: 'api', limit: 1_000_000, window: 600 }
  const limiter = new RateLimiter({ store, policy, storeTimeout: '10s', instances: 1 })
  await limiter.consume({ user: 'first' })
  const started = performance.now()
  let isOver = false
  const sweep = store.sweep().finally(() => (isOver = true))
  const times: number[] = []
  for (let i = 0; !isOver; i++) {
    const asked = performance.now()
    await limiter.consume({ user: `${i % 100}` })
    times.push(performance.now() - asked)
  }
  const removed = await sweep
  const seconds = (performance.now() - started) / 1000
  await limiter.close()
  await pool.end()
  return { seconds, removed, longest: Math.max(...times), p99: quantile(times, 0.99) }
}
