import { setTimeout as sleep } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'

import { openApplication } from '../application.ts'
import type { Form } from '../form.ts'
import type { Scene } from '../fault.ts'
import { type Place, redisPlace } from '../place.ts'
import { Load, POLICY } from '../load.ts'
import { heldMemory } from '../memory.ts'
import { Metronome } from '../metronome.ts'
import { backAfter, spend } from '../outage.ts'
import { percentile } from '../percentile.ts'
import { BOUNDS, Judgement, type Row } from '../row.ts'
import { World } from '../world.ts'

/** The memory cost of a ten-minute outage with 60 000 requests. In the short form they come a hundred times as fast. */
export const tenMinutes: Scene = {
  name: 'gone for ten minutes',
  on: ['redis'],
  alone: true,
  run: play,
}

async function play(place: Place, form: Form): Promise<Row> {
  const world = await World.start(redisPlace(place).server, {})
  const application = openApplication(redisPlace(place).client, redisPlace(place).server, world.port)
  const { client } = application
  const limiter = new RateLimiter({
    store: new RedisStore({ client, warn: () => {} }),
    policy: POLICY,
    warn: () => {},
  })
  try {
    await spend(limiter)
    for (const { process } of world.servers) process.kill('SIGSTOP')
    const metronome = new Metronome()
    const load = new Load(limiter, () => performance.now() - opened > 1_000, form.tenMinutes.perTick)
    const opened = performance.now()
    // Caches fill in the first seconds, fault or not.
    await sleep(form.tenMinutes.ms / 20)
    const before = heldMemory()
    await sleep(form.tenMinutes.ms * (19 / 20))
    const heap = heldMemory() - before
    const seen = await load.stop()
    const machine = metronome.stop()
    for (const { process } of world.servers) process.kill('SIGCONT')
    const back = await backAfter(limiter, 1)
    const judgement = new Judgement()
    const p99 = percentile(seen.waits, 0.99)
    judgement.exactly('good requests refused', seen.refused, 0)
    judgement.exactly('good requests failed', seen.failed, 0)
    // A hundred requests in one turn wait for each other.
    if (form.tenMinutes.perTick === 1)
      judgement.atMost('slowest', seen.slowest, BOUNDS.slowest + machine.most)
    judgement.atMost('p99', p99, BOUNDS.p99 + machine.p99)
    judgement.atMost('over-admitted, known', seen.known, 0)
    judgement.atMost('heap', heap, BOUNDS.heap)
    judgement.atMost('back after', back, BOUNDS.back + machine.within(BOUNDS.back))
    return {
      fault: tenMinutes.name,
      place,
      good: { passed: seen.good - seen.refused, asked: seen.good + seen.failed },
      slowest: seen.slowest,
      p99,
      over: { known: seen.known },
      back,
      machine: machine.most,
      heap,
      missed: judgement.missed,
    }
  } finally {
    await limiter.close()
    application.kill()
    await world.stop()
  }
}
