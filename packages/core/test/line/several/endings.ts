// The end of a town: everybody gets an answer, and then nothing may be charged for nobody, in the store or in a process.
import { viewOf } from '../world.ts'
import type { Units } from './counters.ts'
import { unitsOf } from './counters.ts'
import { Tanks } from './ideal.ts'
import { afterCharge } from './judges.ts'
import type { Town } from './town.ts'

/** How long a line may be remembered after its last caller has gone, in milliseconds. */
const ECHO_MS = 2600
/** How many clients are looked at. */
const CLIENTS = 3

/** What is left, in words. Nothing if all is as it should be. */
export interface Ending {
  readonly said: readonly string[]
  /** The most units that a counter had been charged for nobody. */
  readonly leftover: number
}

/**
 * Lets a town come to its end, and looks for what is left.
 *
 * @param doAllLeave whether those who wait leave, or have their turns
 */
export async function endingOf(town: Town, doAllLeave: boolean): Promise<Ending> {
  const said: string[] = []
  town.until = town.time.now
  if (doAllLeave) for (const { leaving } of town.waiting) leaving.abort()
  const longest = Math.max(0, ...town.waiting.map(({ maxWait, askedAt }) => askedAt + maxWait))
  while (town.waiting.length > 0 && town.time.now < longest + 400_000)
    await town.pass(Math.min(5000, Math.max(20, (longest + 400_000 - town.time.now) / 1000)))
  if (town.waiting.length > 0) said.push(`forgotten: ${town.waiting.length} callers have no answer`)
  await town.pass(ECHO_MS + (town.options.heldMs ?? 0))
  const clients = [...new Set(town.calls.map(({ client }) => client))].slice(0, CLIENTS)
  const observer = town.addProcess()
  const read = async (client: string) => town.soon(observer.limiter.explain(viewOf(client)), 2000)
  let leftover = 0
  if (!town.isChanged) {
    const tanks = replay(town)
    for (const client of clients) {
      const { policies } = await read(client)
      for (const [i, counter] of town.counters.entries()) {
        const due = Math.floor(tanks.of(counter, client).left(town.time.now - 10_000))
        const missing = due - (policies[i]?.before ?? 0)
        leftover = Math.max(leftover, missing)
        if (missing > 0)
          said.push(`charged for nobody: ${missing} units of ${counter.name} of ${client}, which has ${due}`)
      }
      const units = town.calls.find(call => call.client === client)!.units
      const passes = await checkWhenDue(town, tanks, client, units)
      if (passes !== undefined) said.push(passes)
    }
  }
  // Until all that may have been charged is paid back, at the lowest rates.
  const back = town.counters.map(({ kind, capacity, window, limits, longest: counted }) =>
    kind === 'bucket' ? (capacity * window) / Math.min(...limits.map(({ value }) => value)) : counted,
  )
  await town.pass(Math.max(...back) / 1000 + 6000)
  for (const client of clients) {
    const { policies } = await read(client)
    for (const [i, { name, capacity }] of town.counters.entries()) {
      const before = policies[i]?.before ?? 0
      if (before === capacity) continue
      leftover = Math.max(leftover, capacity - before)
      said.push(`not full: ${name} of ${client} has ${before} of ${capacity}`)
    }
  }
  said.push(...(await close(town)))
  return { said, leftover }
}

/** The tanks after all that started. */
function replay(town: Town): Tanks {
  const tanks = new Tanks(town.counters, { apart: afterCharge(town) })
  for (const { endedAt, client, units, doneAt = endedAt } of town.starts)
    tanks.take(endedAt, client, units, doneAt - endedAt)
  return tanks
}

/** Checks a call at the instant from which the book allows it. */
async function checkWhenDue(
  town: Town,
  tanks: Tanks,
  client: string,
  units: Units,
): Promise<string | undefined> {
  const due = tanks.earliest(town.time.now, client, units)
  if (due === Infinity) return undefined
  await town.time.run(due + 1000)
  const { limiter } = town.processes.at(-1)!
  const { time } = town
  const decision = await town.soon(limiter.check(viewOf(client), { cost: units }), 2000)
  await town.soon(limiter.release(decision))
  if (decision.allowed) {
    tanks.take(time.now, client, units)
    return undefined
  }
  const of = town.counters.map(counter => `${counter.name} ${unitsOf(counter, units)}`).join(', ')
  return `a plain check of ${client} is refused, though the book allows it: ${of}, told ${decision.retryAfter} s by ${decision.policy}`
}

async function close(town: Town): Promise<string[]> {
  const said: string[] = []
  const left = town.processes.reduce((sum, { limiter }) => sum + limiter.waiting, 0)
  if (left > 0) said.push(`left: limiters count ${left} callers`)
  const open = new Set(town.processes)
  for (const resident of town.processes) {
    resident.control?.close()
    void resident.limiter.close().finally(() => open.delete(resident))
  }
  await town.pass(3000)
  if (open.size > 0) said.push(`left: close() of ${open.size} processes has not resolved`)
  for (let i = 0; i < 5 && town.time.pending > 0; i++) await town.pass(100)
  const { size, alarms } = town.core.waitingRoom
  if (town.time.pending > 0) said.push(`left: timers ${town.time.pending}`)
  if (size + alarms.size > 0) said.push(`left: ${size} callers and ${alarms.size} alarms in the room`)
  return said
}
