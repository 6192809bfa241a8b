// The end of a history: everybody gets an answer, then nothing of the line may be left, in the store or in a process.
import type { World } from './world.ts'
import { viewOf } from './world.ts'

/** What is left after a history. All numbers should be 0. */
export interface Leftovers {
  /** Callers without an answer. */
  readonly unanswered: number
  /** Units in line, 2.5 s after the last caller has gone. */
  readonly line: number
  /** Units that the counter lacks once everything that started must be paid back. */
  readonly missing: number
  /** Callers that limiters still count. */
  readonly waiting: number
  /** Processes whose `close()` has not resolved within 3 s. */
  readonly open: number
  /** Timers that would keep a process alive. */
  readonly timers: number
  /** Callers and alarms in the waiting room of the process. */
  readonly room: number
}

const PATIENCE_MS = 60_000
const FREE_MS = 2_500

/** Lets a world come to its end, closes its processes, and looks for what is left. */
export async function leftovers(world: World): Promise<Leftovers> {
  const { book, time, core } = world
  const own = (): number => world.waiting.length
  for (let passed = 0; own() > 0 && passed < PATIENCE_MS; passed += 250) await world.pass(250)
  const unanswered = own()
  const gone = Math.max(0, ...book.asks.map(({ endedAt }) => endedAt ?? 0))
  const still = Math.max(0, ...book.still.map(({ to }) => (Number.isFinite(to) ? to : 0)))
  // What killed processes left, and what was overdrawn, is paid back at the rate.
  const overdrawn = book.corrections.reduce((sum, { units }) => sum + Math.max(0, -units), 0)
  // What started on a larger bucket looks like a line once the bucket is smaller.
  const capacities = book.capacities.map(({ value }) => value)
  const shrunk = Math.max(...capacities) - Math.min(...capacities)
  const lowest = Math.min(...book.rates.map(({ value }) => value))
  const owed = Math.ceil(((book.killed + overdrawn + shrunk) * book.window) / lowest)
  // A counter that was written before a clock was set back is not paid until that clock has caught up.
  const behind = world.setBackMs * 1000
  const observer = world.addProcess()
  await time.run(Math.max(time.now + 1_100_000, Math.max(gone, still) + FREE_MS * 1000 + owed + behind))
  const view = viewOf('observer')
  const read = async <T>(promise: Promise<T>): Promise<T> => {
    const answer = { isThere: false }
    const arrived = (): void => void (answer.isThere = true)
    promise.then(arrived, arrived)
    for (let i = 0; i < 100 && !answer.isThere; i++) await world.pass(20)
    if (!answer.isThere) throw new Error('The observer has no answer within 2 s.')
    return promise
  }
  const { policies } = await read(observer.limiter.explain(view))
  const line = policies[0]?.line?.units ?? 0
  const { burst } = world.policy
  // What started is paid back at the rate that is stored, which is the old one if nobody has asked since a change.
  await world.pass((Math.max(...capacities) * book.window) / lowest / 1000 + 20)
  const { remaining } = await read(observer.limiter.peek(view))
  const waiting = world.processes.reduce(
    (sum, { limiter, isKilled }) => sum + (isKilled ? 0 : limiter.waiting),
    0,
  )
  const open = new Set(world.processes.filter(({ isKilled }) => !isKilled))
  for (const process of world.processes) {
    process.control?.close()
    void process.limiter.close().finally(() => open.delete(process))
  }
  await world.pass(3000)
  // The timer of a short deadline may outlive the last call by its delay.
  for (let i = 0; i < 5 && time.pending > 0; i++) await world.pass(100)
  const { size, alarms } = core.waitingRoom
  return {
    unanswered,
    line,
    missing: burst - remaining,
    waiting,
    open: open.size,
    timers: time.pending,
    room: size + alarms.size,
  }
}

/** Nothing is left. */
export const NOTHING_LEFT: Leftovers = {
  unanswered: 0,
  line: 0,
  missing: 0,
  waiting: 0,
  open: 0,
  timers: 0,
  room: 0,
}
