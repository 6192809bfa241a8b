import { afterAll, describe, expect, it } from 'vitest'

import { inVirtualTime, perSecond } from '../line/rows.ts'
import { makeWorld, type World } from '../line/world.ts'

inVirtualTime()

interface Scene {
  readonly noisy: number
  readonly noisyProcesses: number
  readonly quiet: number
  readonly rate: number
  readonly burst: number
  readonly weights?: readonly number[]
}

async function play(scene: Scene, seconds = 20) {
  const { noisy, noisyProcesses, quiet, rate, burst } = scene
  const weights = new Map(Array.from({ length: noisy }, (_, i) => [`n${i}`, scene.weights?.[i % scene.weights.length] ?? 1]))
  const policy = {
    ...perSecond(rate, burst),
    keyStrategy: 'shared',
    fair: { by: 'user', weight: (request: { user: { id: string } }) => weights.get(request.user.id) ?? 1 },
  } as never
  const world = await makeWorld({ policy, processes: noisyProcesses, changes: 'never', delays: { least: 300, most: 900 }, limiter: { mostWaiting: 100_000 } })
  const backlog = new Map<string, number>()
  const feed = (): void => {
    for (let n = 0; n < noisy; n++)
      for (let p = 0; p < noisyProcesses; p++) {
        const key = `n${n} ${p}`
        while ((backlog.get(key) ?? 0) < 4) {
          backlog.set(key, (backlog.get(key) ?? 0) + 1)
          const caller = world.ask(p, { user: `n${n}`, maxWaitMs: 600_000 })
          void caller.done.then(() => void backlog.set(key, backlog.get(key)! - 1))
        }
      }
  }
  const share = rate / (noisy + quiet)
  for (let ms = 0; ms < seconds * 1000; ms += 5) {
    feed()
    for (let q = 0; q < quiet; q++) {
      // Half of its share.
      if (world.random.next() < (share * 0.5 * 5) / 1000) world.ask(q % noisyProcesses, { user: `q${q}`, maxWaitMs: 600_000 })
    }
    await world.pass(5)
  }
  const half = (seconds / 2) * 1e6
  const begin = world.time.now - half
  const starts = world.book.asks.filter(one => one.end === 'started' && one.endedAt! >= begin)
  const turn = (noisy + quiet) / rate
  const before = new Map<string, number>()
  const weightSum = [...weights.values()].reduce((a, b) => a + b, 0) + quiet
  const turn2 = scene.weights ? weightSum / rate : turn
  const waits = starts.filter(one => one.user.startsWith('q')).sort((a, b) => a.endedAt! - b.endedAt!).map(one => {
    const from = Math.max(one.askedAt, before.get(one.user) ?? 0)
    before.set(one.user, one.endedAt!)
    return (one.endedAt! - from) / 1e6 / turn2
  }).sort((a, b) => a - b)
  const per = [...weights].map(([name, w]) => starts.filter(one => one.user === name).length / w)
  const calls = world.arrivals.length / world.book.asks.filter(one => one.end === 'started').length
  return { used: starts.length / (rate * (seconds / 2)), calls, noisy: [Math.min(...per), Math.max(...per)], quiet: waits.length, p50: waits[Math.floor(waits.length / 2)], p99: waits[Math.floor(waits.length * 0.99)], worst: waits.at(-1) }
}

describe('acquire of a fair bucket', () => {
  it.each([
    { noisy: 1, noisyProcesses: 4, quiet: 5, rate: 100, burst: 1 },
    { noisy: 10, noisyProcesses: 4, quiet: 20, rate: 100, burst: 1 },
    { noisy: 10, noisyProcesses: 4, quiet: 20, rate: 100, burst: 1, weights: [1, 5] },
    { noisy: 10, noisyProcesses: 16, quiet: 20, rate: 100, burst: 1 },
  ])('%j', async scene => {
    console.log(JSON.stringify(await play(scene)))
  })
})
