// Plays an hour with an outage on a clock that this script moves, and prints what a scrape each half a minute would have read.
import { pass } from './manual-time.ts'

import { RateLimiter } from '@halt/core'
import { fakeOutage } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { Registry } from 'prom-client'

import { PrometheusTelemetry } from '../src/index.ts'

const REQUEST_MS = 2_000
const SCRAPE_MS = 30_000
const MINUTE = 60_000
const kind = process.argv[2] as 'refused' | 'hanging'

const register = new Registry()
const store = fakeOutage(new InMemoryStore())
const limiter = new RateLimiter({
  store,
  policy: { name: 'api', limit: 1e6, window: '1m', keyStrategy: 'user' },
  telemetry: new PrometheusTelemetry({ register }),
  warn: () => {},
})

const series = new Map<string, number[]>()
const ask = async (): Promise<void> => {
  const answer = limiter.consume({ user: '42' })
  await pass(REQUEST_MS)
  await answer
}
for (let now = 0, scrapes = 0; now < 60 * MINUTE; now += REQUEST_MS) {
  // Two lost calls, and an outage of half an hour.
  const isAway = now === 2 * MINUTE || now === 4 * MINUTE || (now >= 10 * MINUTE && now < 40 * MINUTE)
  if (isAway) store.begin(kind)
  else store.end()
  await ask()
  if ((now + REQUEST_MS) % SCRAPE_MS !== 0) continue
  scrapes++
  for (const line of (await register.metrics()).split('\n')) {
    const [, name, labels, value] =
      /^(halt_(?:store_errors|degraded|checks)_total)\{(.*)\} (\S+)$/.exec(line) ?? []
    if (name === undefined) continue
    const key = `${name}{job="shop",${labels}}`
    const values = series.get(key) ?? Array.from({ length: scrapes - 1 }, () => Number.NaN)
    series.set(key, [...values, Number(value)])
  }
}
process.stdout.write(JSON.stringify([...series]))
