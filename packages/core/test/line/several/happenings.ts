// What happens in a town besides callers. Each notes what it allows beyond the rules.
import { viewOf } from '../world.ts'
import { unitsOf } from './counters.ts'
import type { Town } from './town.ts'

/** Something that happens, after a share of the history. Shares from 0 to 1 choose among what there is. */
export type Happening = { readonly at: number } & (
  | { readonly does: 'limit'; readonly which: number; readonly factor: number }
  | { readonly does: 'reset'; readonly which: number }
  | { readonly does: 'refund'; readonly which: number; readonly calls: number }
  | { readonly does: 'abort'; readonly part: number }
  | { readonly does: 'close'; readonly which: number }
  | { readonly does: 'pause' | 'block'; readonly which: number; readonly ms: number }
  | { readonly does: 'outage'; readonly fault: 'away' | 'hung'; readonly ms: number }
)

/** For how long an old limit may still hold somewhere: until all have read the document, and looked once more. */
const HEAR = 2_600_000
/** How long units that came back may still be unheard of. */
const BACK = 2_000_000

/** Lets something happen. Resolves when it is over. */
export async function happens(town: Town, what: Happening): Promise<void> {
  town.isChanged = true
  const { time, processes, calls } = town
  const living = processes.filter(({ isAlive }) => isAlive)
  const clients = [...new Set(calls.map(({ client }) => client))]
  const acting = living[0]!
  switch (what.does) {
    case 'limit':
      return changeLimit(town, what.which, what.factor)
    case 'reset': {
      const client = pick(clients, what.which) ?? 'c0'
      const grants = town.counters.map(({ name, capacity, isShared }) => ({
        counter: name,
        ...(isShared ? {} : { client }),
        from: time.now,
        to: Infinity,
        units: capacity,
        why: 'reset',
      }))
      town.grants.push(...grants)
      await acting.limiter.reset(viewOf(client))
      for (const grant of grants) grant.to = time.now + BACK
      return
    }
    case 'refund': {
      const started = calls.filter(({ end, decision }) => end === 'started' && decision !== undefined)
      const from = Math.floor(what.which * started.length)
      await Promise.all(
        started.slice(from, from + what.calls).map(async call => {
          const { limiter, isAlive } = processes[call.process]!
          if (!isAlive || call.decision === undefined) return
          const grants = town.counters.map(counter => ({
            counter: counter.name,
            client: call.client,
            from: time.now,
            to: Infinity,
            units: unitsOf(counter, call.units),
            why: 'refund',
          }))
          town.grants.push(...grants)
          const { decision } = call
          delete call.decision
          await limiter.settle(decision, 0)
          for (const grant of grants) grant.to = time.now + BACK
        }),
      )
      return
    }
    case 'abort':
      for (const call of town.waiting) if (town.random.next() < what.part) call.leaving.abort()
      return
    case 'close': {
      if (living.length === 1) return
      const resident = pick(living, what.which)!
      resident.isAlive = false
      resident.control?.close()
      return resident.limiter.close()
    }
    case 'pause':
      return acting.limiter.pause({ user: pick(clients, what.which) ?? 'c0' }, { for: `${what.ms}ms` })
    case 'block':
      // Those behind the blocked move up as these leave, and may be heard of it when the block is over.
      for (const { name, limit, window } of town.counters)
        town.grants.push({
          counter: name,
          from: time.now,
          to: time.now + what.ms * 1000 + BACK,
          units: Math.ceil((limit * what.ms * 1000) / window),
          why: 'block',
        })
      await acting.control!.block({ user: pick(clients, what.which) ?? 'c0' }, { for: `${what.ms}ms` })
      return
    case 'outage': {
      const [from, to] = [time.now, time.now + what.ms * 1000 + 5_500_000]
      // Each process decides by its share. Shares are whole, so a small limit has more than one in all processes.
      for (const { name, capacity, limit, window } of town.counters) {
        const paid = (Math.max(limit, processes.length) * (to - from)) / window
        const units = Math.ceil(paid) + capacity * processes.length
        town.grants.push({ counter: name, from, to, units, why: 'outage' })
        // A process of which nobody asks hears late that the store is back, and decides once more by its share.
        const quiet = Math.max(1, Math.ceil(capacity / processes.length)) * processes.length
        town.grants.push({ counter: name, from: to, to: Infinity, units: quiet, why: 'quiet' })
      }
      town.network.begin(what.fault)
      await time.sleep(what.ms * 1000)
      return town.network.end(0.5)
    }
  }
}

async function changeLimit(town: Town, which: number, factor: number): Promise<void> {
  const { time, counters, grants, processes, hear } = town
  const counter = pick(
    counters.filter(({ kind }) => kind === 'bucket'),
    which,
  )
  // Of two changes under way at once, nobody knows which is the last.
  if (counter === undefined || (counter.limits.at(-1)!.at > time.now - HEAR && hear > 0)) return
  const { limit, window, capacity, name } = { ...counter, limit: counter.limits.at(-1)!.value }
  const changed = Math.max(1, Math.round(limit * factor))
  if (changed === limit) return
  town.hear = HEAR
  counter.limits.push({ at: time.now, value: changed })
  // A bucket without a line pays the time since its last charge at the rate that holds now.
  if (changed > limit)
    grants.push({
      counter: name,
      from: time.now,
      to: time.now + HEAR,
      units: Math.ceil(Math.min(capacity, (changed * HEAR) / window + 1)),
      why: 'raised',
    })
  const { control } = processes.find(({ isAlive }) => isAlive)!
  await control!.change(name, { limit: changed, burst: capacity })
}

function pick<T>(list: readonly T[], share: number): T | undefined {
  return list[Math.floor(share * list.length)]
}
