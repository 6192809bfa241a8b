import { setTimeout as sleep } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'

import { Control } from './control.ts'
import type { Place } from './place.ts'
import { LEASED, LeasedKey } from './leased-key.ts'
import { Load, POLICY } from './load.ts'
import { Metronome } from './metronome.ts'
import { percentile } from './percentile.ts'
import { BOUNDS, Judgement, type Row } from './row.ts'
import type { Stage } from './stage.ts'

// This many failures in a row open the breaker.
const THRESHOLD = 3
const CALM_MS = 300
const PATIENCE_MS = 6_000

/** Plays a fault under load: the calm before it, the fault, its end, and the recovery. */
export async function playOutage(name: string, place: Place, faultMs: number, stage: Stage): Promise<Row> {
  let failures = 0
  const limiter = new RateLimiter({
    store: stage.store,
    policy: POLICY,
    warn: () => {},
    telemetry: {
      onStoreError: () => void failures++,
      onCheck: (_key, { degraded }) => {
        if (degraded === false) failures = 0
      },
    },
  })
  try {
    if (!stage.fromStart) await spend(limiter)
    const metronome = new Metronome()
    // If nothing may be admitted beyond the limit, the servers answer all the time.
    const control = stage.pings && new Control(stage.pings)
    let mended = false
    const load = new Load(limiter, () => failures >= THRESHOLD && !mended)
    const leasedKey = new LeasedKey(limiter)
    await sleep(CALM_MS)
    load.bringNewcomer()
    await stage.begin(limiter)
    await sleep(faultMs)
    mended = true
    await stage.end()
    const back = await backAfter(limiter, stage.keys)
    await sleep(CALM_MS)
    const seen = await load.stop()
    const leased = await leasedKey.stop()
    const machine = metronome.stop()
    // A server that got no processor time could not answer in time, fault or not.
    const starved = control !== undefined && (await control.stop()) > BOUNDS.starved
    const verified = await stage.verify(limiter)
    const p99 = percentile(seen.waits, 0.99)
    // An abuser that had used nothing before the fault counts as new.
    const known = stage.fromStart ? Math.max(0, seen.known - POLICY.limit) : seen.known
    const share = { known: stage.fromStart ? POLICY.limit : 0, fresh: POLICY.limit }
    const due = stage.over() ?? share
    const most = starved ? { known: due.known, fresh: Math.max(due.fresh, share.fresh) } : due

    const judgement = new Judgement()
    judgement.exactly('good requests refused', seen.refused, 0)
    judgement.exactly('good requests failed', seen.failed, 0)
    judgement.atMost('slowest', seen.slowest, BOUNDS.slowest + machine.most)
    judgement.atMost('p99', p99, BOUNDS.p99 + machine.p99)
    judgement.atMost('over-admitted, known', known, most.known)
    judgement.atMost('over-admitted, new', seen.fresh, most.fresh)
    judgement.atMost('over-admitted, leased', leased, (LEASED.limit * most.fresh) / POLICY.limit)
    judgement.atMost('back after', back, BOUNDS.back + machine.within(BOUNDS.back))
    if (verified?.missed !== undefined) judgement.missed.push(verified.missed)
    return {
      fault: name,
      place,
      good: { passed: seen.good - seen.refused, asked: seen.good + seen.failed },
      slowest: seen.slowest,
      p99,
      over: { known, fresh: seen.fresh, leased },
      back,
      machine: machine.most,
      ...(verified === undefined ? {} : { note: verified.note }),
      missed: judgement.missed,
    }
  } finally {
    await limiter.close()
    await stage.close()
  }
}

/** Lets the abuser use up its limit and be refused. */
export async function spend(limiter: RateLimiter): Promise<void> {
  await backAfter(limiter, 1)
  for (let i = 0; i <= POLICY.limit; i++) await limiter.consume('abuser')
}

/** The time until the store decides again, in milliseconds. */
export async function backAfter(limiter: RateLimiter, keys: number): Promise<number> {
  const started = performance.now()
  for (let i = 0; performance.now() - started < PATIENCE_MS; i++) {
    const names = Array.from({ length: keys }, (_, key) => `probe${Math.random()}-${i}-${key}`)
    const decisions = await Promise.all(names.map(name => limiter.consume(name)))
    if (decisions.every(({ degraded }) => degraded === false)) return performance.now() - started
    await sleep(10)
  }
  return Number.POSITIVE_INFINITY
}
