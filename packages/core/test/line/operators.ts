// What operators, clients and faults do to a line. Each act notes in the journal what it allows.
import { LAG } from './book.ts'
import type { Fault } from './network.ts'
import { ADDRESS, type Caller, type Process, viewOf, type World, type WorldPolicy } from './world.ts'

/** For how long an old limit may still hold somewhere: until all have read the document, and looked once more. */
const HEAR = 2_600_000
/** How long a process may not have heard of a pause. */
const PAUSE_HEARD = 1_200_000

/** Settles the charge of a caller that has started. */
export async function settle(world: World, caller: Caller, actual: number): Promise<void> {
  const { ask, decision } = caller
  const process = world.processes[ask.process]!
  if (decision === undefined || caller.isSettled || !process.isAlive) return
  caller.isSettled = true
  const back = ask.cost - actual
  const from = world.time.now
  const units = Math.min(back, capacityOf(world))
  const grant = { from, to: Infinity, units, why: 'refund' }
  if (back > 0) world.book.grants.push(grant)
  else world.book.corrections.push({ at: from, units: back })
  await process.limiter.settle(decision, actual)
  if (back <= 0) return
  grant.to = world.time.now
  world.book.corrections.push({ at: world.time.now, units })
}

/** Reserves units, and gives all of them back after some milliseconds. */
export async function reserveAndCancel(world: World, index: number, cost: number, ms: number): Promise<void> {
  const { limiter, isAlive } = world.processes[index]!
  if (!isAlive) return
  const asked = world.time.now
  const reservation = await limiter.reserve(viewOf('u0'), { cost })
  if (!reservation.decision.allowed) return
  const id = world.book.asks.length
  const fields = { id, process: index, cost, user: 'u0', askedAt: asked, waits: false, maxWait: 0 }
  world.book.asks.push(fields)
  world.note(fields, 'started')
  const caller: Caller = {
    ask: fields,
    user: 'u0',
    leaving: new AbortController(),
    decision: reservation.decision,
    isSettled: true,
    done: Promise.resolve(),
  }
  world.callers.push(caller)
  await world.time.sleep(ms * 1000)
  if (!world.processes[index]!.isAlive) return
  const grant = {
    from: world.time.now,
    to: Infinity,
    units: Math.min(cost, capacityOf(world)),
    why: 'cancel',
  }
  world.book.grants.push(grant)
  await reservation.cancel()
  grant.to = world.time.now
  world.book.corrections.push({ at: world.time.now, units: grant.units })
}

/** Changes the limit or the capacity for everybody. */
export async function change(
  world: World,
  index: number,
  numbers: Pick<WorldPolicy, 'limit' | 'burst'>,
): Promise<void> {
  const { book, time } = world
  const { limit, burst } = numbers
  // Of two changes that are under way at once, nobody knows which is the last.
  if (book.isChanging) return
  world.policy = { ...world.policy, ...numbers }
  book.hear = HEAR
  repay(world, limit)
  book.rates.push({ at: time.now, value: limit })
  book.capacities.push({ at: time.now, value: burst })
  const process = world.processes[index]!
  if (process.control !== undefined) {
    book.isChanging = true
    try {
      await process.control.change(world.policy.name, numbers)
      return
    } catch (error) {
      // Nobody knows whether the store has it.
      book.isUncertain = true
      throw error
    } finally {
      book.isChanging = false
    }
  }
  for (const { registry } of living(world)) registry?.update(world.policy.name, numbers)
  // A registry is asked with the next request of its process.
  for (const { index: each } of living(world)) world.ask(each, { by: 'check' })
}

/**
 * Notes what a changed rate makes of the time before: a bucket without a line pays the time since its last charge at the rate that holds
 * now. Who was charged last had asked before that.
 */
function repay(world: World, limit: number): void {
  const { book, time } = world
  const from = Math.max(0, ...book.asks.flatMap(({ end, askedAt }) => (end === 'started' ? askedAt : [])))
  const rates = book.rates.flatMap(({ value }, i) =>
    (book.rates[i + 1]?.at ?? Infinity) > from ? value : [],
  )
  const paid = (by: number): number =>
    Math.min(Math.ceil((by * (time.now - from)) / book.window), capacityOf(world))
  const [more, fewer] = [paid(limit - Math.min(...rates)), paid(Math.max(...rates) - limit)]
  if (more > 0) book.grants.push({ from, to: time.now, units: more, why: 'raised' })
  if (fewer > 0) book.corrections.push({ at: time.now, units: -fewer })
}

/** Resets the counter: one capacity may start at once. */
export async function reset(world: World, index: number): Promise<void> {
  const { book, time, processes } = world
  const grant = { from: time.now, to: Infinity, units: capacityOf(world), why: 'reset' }
  book.grants.push(grant)
  endSilence(world)
  try {
    await processes[index]!.limiter.reset(viewOf('u0'))
  } finally {
    grant.to = time.now
  }
  book.corrections.push({ at: time.now, units: grant.units })
}

/** Pauses the counter. */
export async function pause(world: World, index: number, ms: number): Promise<void> {
  const { book, time, processes, policy } = world
  const called = time.now
  const to = called + ms * 1000
  const still = { from: called, to: Infinity, why: 'pause' }
  book.still.push(still)
  try {
    await processes[index]!.limiter.pause({ ip: ADDRESS }, { for: `${ms}ms`, policy })
  } finally {
    still.to = to + PAUSE_HEARD
  }
  const from = time.now + PAUSE_HEARD
  // A reset that was called meanwhile may have come after it.
  if (from < to && book.silenceEnded < called) book.closed.push({ from, to, why: 'pause' })
}

/** Blocks a user. */
export async function block(world: World, index: number, user: string, ms: number): Promise<void> {
  const { book, time, processes } = world
  const to = time.now + ms * 1000
  // A client has one block: the last one.
  for (const span of book.closed) if (span.user === user) span.to = Math.min(span.to, time.now)
  book.blocks.set(user, to)
  await processes[index]!.control!.block({ user }, { for: `${ms}ms` })
  const from = time.now + 1_500_000
  if (from < to && book.blocks.get(user) === to) book.closed.push({ from, to, user, why: 'block' })
}

// When the clock is set back, a line loses the time from its last call before to its first call after, a look later. When it is set
// forward, callers that come meanwhile are charged what was skipped, in front of those who wait.
const LATE_BY_SET_BACK = 1_010_000

/** Moves the server's clock, as a failover to another server does. A client's clock only moves forward. */
export function failover(world: World, byMs: number, lostMs = 0): void {
  const { book, time, server, policy } = world
  const stepMs = server.isClientClock === true ? Math.max(0, byMs) : byMs
  server.skewMs += stepMs
  world.setBackMs += Math.max(0, -stepMs)
  book.clockSteps.push({ at: time.now, late: stepMs < 0 ? LATE_BY_SET_BACK : stepMs * 1000 })
  const skipped = Math.ceil((policy.limit * stepMs) / (policy.window * 1000))
  // Who comes new to a process may start what the clock skipped, once, as long as the line stands.
  if (stepMs > 0) book.grants.push({ from: time.now, to: time.now + 30e6, units: skipped, why: 'clock' })
  endSilence(world)
  for (const span of book.still) if (span.to > time.now) span.to += Math.max(0, -stepMs) * 1000
  if (lostMs === 0 || server.loseLast === undefined) return
  server.loseLast(lostMs)
  lost(world)
}

/** Makes the server forget all counters. */
export async function lose(world: World): Promise<void> {
  await world.time.outside(() => world.server.lose())
  endSilence(world)
  lost(world)
}

/** Makes the server fail for some time. */
export async function outage(world: World, fault: Fault, ms: number, answered: number): Promise<void> {
  const { book, time, network, policy, processes } = world
  const [from, to] = [time.now, time.now + ms * 1000]
  const each = { limit: Math.max(1, Math.floor(policy.limit / processes.length)), burst: policy.burst }
  const shared = { from, to: to + 2_500_000, why: 'outage' }
  const count = living(world).length
  book.shares.push({ ...shared, rate: each.limit * count })
  book.grants.push({ ...shared, units: each.burst * count })
  book.still.push({ ...shared, to: to + 3_000_000 })
  network.begin(fault)
  await time.sleep(to - from)
  network.end(answered)
}

/** Closes a process in good order. */
export async function close(world: World, index: number): Promise<void> {
  const process = world.processes[index]!
  if (!process.isAlive) return
  process.isAlive = false
  process.control?.close()
  await process.limiter.close()
}

/** Kills a process: its callers never hear, and what it sends never arrives. */
export function kill(world: World, index: number): void {
  const process = world.processes[index]!
  if (!process.isAlive) return
  Object.assign(process, { isAlive: false, isKilled: true })
  world.network.cut(index)
  for (const { ask } of world.waiting.filter(caller => caller.ask.process === index)) {
    world.book.killed += ask.cost
    world.note(ask, 'closed')
  }
}

/** The processes that still run. */
export function living({ processes }: World): Process[] {
  return processes.filter(({ isAlive }) => isAlive)
}

function lost(world: World): void {
  const { book, time, policy } = world
  // The counter is empty, and each process goes on at the rate until it has heard of that.
  const unheard = Math.ceil((policy.limit * LAG) / (policy.window * 1e6))
  book.isOrderLost = true
  book.grants.push({ from: time.now, to: time.now, units: capacityOf(world) + unheard, why: 'lost' })
}

/** Ends the expectation that nobody starts: a reset or a failover ends a pause, or moves its end. */
function endSilence({ book, time }: World): void {
  book.silenceEnded = time.now
  for (const span of book.closed) if (span.why === 'pause') span.to = Math.min(span.to, time.now)
}

function capacityOf({ book, time }: World): number {
  return Math.max(
    ...book.capacities
      .filter(
        ({ at }, i) => (book.capacities[i + 1]?.at ?? Infinity) > time.now - book.hear && at <= time.now,
      )
      .map(({ value }) => value),
  )
}
