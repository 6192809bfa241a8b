// Plays a history, and judges it.
import { worstExcess } from './book.ts'
import { differences } from './exact.ts'
import { longestIdle } from './idle.ts'
import { failures, heldTooLong, outOfOrder, startedInPause } from './judges.ts'
import type { Act, Change, History, Kind } from './kinds.ts'
import { leftovers, NOTHING_LEFT } from './leftovers.ts'
import * as operators from './operators.ts'
import type { Delays } from './network.ts'
import type { MakeServer } from './server.ts'
import { makeWorld, type Process, type World } from './world.ts'

/** On which store a history is played. */
export interface Stage {
  readonly server?: MakeServer
  /** One process directly on the server's store, as on a store in memory. */
  readonly isDirect?: boolean
  /** Whether the users are tenants that share the bucket fairly. Then callers wait for the turn of their tenant, and not in one order. */
  readonly isFair?: boolean
  readonly delays?: Delays
}

/** How late a caller may start where nothing changes: one reply of the store, and the coarseness of timers. */
const LATE = 8000
/** How long a caller may be held beyond `maxWait`: the time for which a call of the store is waited for, and what it takes to leave. */
const GRACE = 300_000
/** How much longer a tenant's callers may stand still: they look once a second. Milliseconds. */
const TURN_LATE = 2000

/** Plays a history. Returns what it found wrong, in words; nothing if all held. */
export async function judge(kind: Kind, history: History, stage: Stage = {}): Promise<string[]> {
  const said = await judgeOnce(kind, history, stage)
  // A history leaves its timers each time. Other files of this process may set one while virtual time is installed.
  const isTimerAlone = said.length === 1 && said[0]!.startsWith('left: timers ')
  return isTimerAlone ? judgeOnce(kind, history, stage) : said
}

async function judgeOnce(kind: Kind, history: History, stage: Stage): Promise<string[]> {
  const { isFair = false } = stage
  const world = await makeWorld({
    policy: {
      name: 'api',
      limit: history.limit,
      window: 1,
      burst: history.burst,
      ...(isFair || kind.by === 'control' ? { keyStrategy: 'shared' as const } : {}),
      ...(isFair ? { fair: { by: 'user' as const } } : {}),
    },
    processes: stage.isDirect ? 1 : history.processes,
    seed: history.seed,
    changes: kind.by,
    ...stage,
  })
  try {
    const acts = play(world, history)
    await run(world, acts)
    const left = await leftovers(world)
    return [
      ...verdict(kind, world, stage),
      ...Object.entries(left).flatMap(([name, found]) => {
        const expected = NOTHING_LEFT[name as keyof typeof NOTHING_LEFT]
        return found === expected ? [] : [`left: ${name} ${found}`]
      }),
    ]
  } finally {
    world.end()
    await world.server.close?.()
  }
}

function verdict(kind: Kind, world: World, { isDirect, isFair = false }: Stage): string[] {
  const { book, arrivals } = world
  const said: string[] = []
  if (book.isUncertain) return said
  const excess = worstExcess(book)
  if (excess !== undefined) said.push(`too much: ${JSON.stringify(excess)}`)
  const wrong = book.isOrderLost || isFair ? [] : outOfOrder(book)
  if (wrong.length > 0) said.push(`out of order: ${JSON.stringify(wrong.slice(0, 5))} of ${wrong.length}`)
  const idle = longestIdle(book)
  const killed = Math.ceil((book.killed * book.window) / Math.min(...book.rates.map(({ value }) => value)))
  const late = book.clockSteps.reduce((sum, step) => sum + (step.at < (idle?.to ?? 0) ? step.late : 0), 0)
  const idleMs = kind.idleMs + (isFair ? TURN_LATE : 0)
  if (idle !== undefined && idle.to - idle.from > idleMs * 1000 + killed + late)
    said.push(`idle: ${JSON.stringify(idle)}`)
  const held = heldTooLong(book, GRACE)
  if (held.length > 0) said.push(`held too long: ${JSON.stringify(held.slice(0, 3))} of ${held.length}`)
  const failed = failures(book)
  if (failed.length > 0) said.push(`failed: ${JSON.stringify(failed.slice(0, 3))} of ${failed.length}`)
  const early = startedInPause(book)
  if (early.length > 0) said.push(`started in a pause or a block: ${JSON.stringify(early.slice(0, 3))}`)
  if (kind.changes !== undefined || isDirect || isFair) return said
  const found = differences(book, arrivals, LATE)
  if (found.length > 0)
    said.push(`not as the book says: ${JSON.stringify(found.slice(0, 5))} of ${found.length}`)
  return said
}

/** Runs the world while its acts are under way. */
async function run(world: World, acts: Promise<void>): Promise<void> {
  const state = { isOver: false }
  const over = acts.finally(() => (state.isOver = true))
  over.catch(() => {})
  while (!state.isOver) await world.pass(100)
  await over
}

async function play(world: World, { acts }: History): Promise<void> {
  const under: Promise<void>[] = []
  for (const act of acts) {
    await world.time.sleep(Math.round((act.after * world.policy.window * 1e6) / world.policy.limit))
    const process = pick(operators.living(world), act.process)
    if (process === undefined) break
    if (act.change !== undefined) under.push(...change(world, process, act, act.change).map(tolerate))
    else world.ask(process.index, act)
  }
  await Promise.all(under)
}

/** An operator's act may fail as the store goes away, and must say so. */
async function tolerate(act: Promise<void>): Promise<void> {
  await act.catch((error: unknown) => {
    const { code } = error as { readonly code?: unknown }
    if (code !== 'HALT_E_STORE' && (error as Partial<{ failure: string }>).failure !== 'unavailable')
      throw error
  })
}

function change(world: World, { index }: Process, act: Act, what: Change): Promise<void>[] {
  const { policy } = world
  // While the store is away, an operator's act fails or is late: that is another promise.
  const isAway = world.book.still.some(({ why, to }) => why === 'outage' && to > world.time.now)
  switch (what.does) {
    case 'settle': {
      const started = world.callers.filter(({ ask, isSettled }) => ask.end === 'started' && !isSettled)
      const caller = pick(started, what.which)
      return caller === undefined
        ? []
        : [operators.settle(world, caller, Math.floor(caller.ask.cost * what.share))]
    }
    case 'cancel':
      return isAway
        ? []
        : [operators.reserveAndCancel(world, index, Math.min(what.cost, policy.burst), what.ms)]
    case 'abort':
      for (const { leaving } of leavers(world, index, what)) leaving.abort()
      return []
    case 'change': {
      const limit = Math.min(400, Math.max(1, Math.round(policy.limit * what.factor)))
      const burst = Math.min(40, Math.max(1, Math.round(policy.burst * what.burst)))
      return isAway ? [] : [operators.change(world, index, { limit, burst })]
    }
    case 'reset':
      return isAway ? [] : [operators.reset(world, index)]
    case 'pause':
      return isAway ? [] : [operators.pause(world, index, what.ms)]
    case 'block':
      return [operators.block(world, index, what.user, what.ms)]
    case 'failover':
      operators.failover(world, what.stepMs, what.lostMs)
      return []
    case 'lose':
      return [operators.lose(world)]
    case 'outage':
      return isAway ? [] : [operators.outage(world, what.fault, what.ms, what.answered)]
    case 'close':
    case 'kill':
      if (operators.living(world).length === 1) return []
      if (what.does === 'close') return [operators.close(world, index)]
      operators.kill(world, index)
      return []
  }
}

function leavers(world: World, index: number, { whom, which }: Extract<Change, { does: 'abort' }>) {
  const { waiting } = world
  if (whom === 'all') return waiting
  if (whom === 'process') return waiting.filter(({ ask }) => ask.process === index)
  if (whom === 'some') return waiting.filter(() => world.random.next() < which)
  const one = pick(waiting, which)
  return one === undefined ? [] : [one]
}

function pick<T>(list: readonly T[], share: number): T | undefined {
  return list[Math.floor(share * list.length)]
}
