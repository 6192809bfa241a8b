import type { Screen } from '@halt/demo-kit/screen'

import { type Call, CALLS, early, GAP, mostAhead, overtakers } from './calls.ts'
import { type Outcome, perform, type Show } from './perform.ts'

/** The worker that is lost. */
const LOST = 2

/** A scene. Resolves to true if all was as it should be. */
export type Scene = (show: Show) => Promise<boolean>

/** All workers ask at once. */
export const together: Scene = async options => {
  const { screen, job, workers } = options
  screen.print(`\nEach of ${workers} workers asks for ${job.calls} calls. All stand in one line`)
  const { calls } = await perform(options)
  return all(haveStarted(options, calls), hasKeptPace(screen, calls), hasKeptOrder(options, calls))
}

/** The calls of a minute are limited, too. */
export const aMinuteToo: Scene = async options => {
  const { screen, job, workers } = options
  const count = workers * job.calls
  const rest = Math.max(3, Math.floor(count / 5))
  screen.print(
    `\n10 per second and 60 per minute, of which ${count - rest} may come at once: the last ${rest} wait for the minute`,
  )
  const { calls, waiting } = await perform(
    { ...options, job: { ...job, minuteBurst: count - rest } },
    [],
    2.5 * GAP,
  )
  const began = Math.min(...calls.map(({ asked }) => asked))
  const last = calls.toSorted((a, b) => a.started - b.started).slice(count - rest)
  // The minute gives a call back in a second. A millisecond is for the rounding of clocks.
  const isPaced = last.every(({ started }, i) => started + 1 - began >= 1000 * (i + 1))
  return all(
    haveStarted(options, calls),
    hasKeptPace(screen, calls),
    check(screen, `the last ${rest} calls started a second apart`, isPaced),
    isEmpty(screen, { calls, waiting }),
  )
}

/** A worker is killed, or leaves. */
export const aWorkerIsLost: Scene = async options => {
  const { screen, job, workers, inProcesses } = options
  screen.print(
    inProcesses
      ? `\nThe same once more, and worker ${LOST + 1} is killed. It loses its own places only`
      : `\nThe same once more, and worker ${LOST + 1} leaves. The others move up`,
  )
  const { calls } = await perform(options, [
    {
      after: job.calls,
      happen({ crew, ended }) {
        ended(LOST)
        crew.end(LOST)
      },
    },
  ])
  const others = calls.filter(({ worker }) => worker !== LOST).length
  return all(
    check(screen, 'all calls of the others started', others === (workers - 1) * job.calls),
    hasKeptPace(screen, calls),
    hasKeptOrder(options, calls),
  )
}

/** An operator changes the limit while calls wait. */
export const theLimitChanges: Scene = async options => {
  const { screen, job, workers } = options
  const more = { ...options, job: { ...job, calls: 2 * job.calls } }
  const count = 2 * workers * job.calls
  const [raised, lowered] = [2 * CALLS.limit, CALLS.limit / 2]
  screen.print(
    `\nTwice as many calls. While they wait, the limit is raised to ${raised}, then lowered to ${lowered}`,
  )
  const { calls } = await perform(
    more,
    [
      { after: Math.ceil(count * 0.1), happen: stage => stage.setLimit(raised) },
      { after: Math.ceil(count * 0.45), happen: stage => stage.setLimit(lowered) },
    ],
    // This scene is longer.
    2.5 * GAP,
  )
  // Not all workers hear of a change at the same instant, so calls of one worker may overtake those of another meanwhile.
  return all(
    haveStarted(more, calls),
    hasKeptPace(screen, calls, 1000 / raised),
    hasKeptOrderOfEach(options, calls),
  )
}

/** All workers are replaced by new processes. */
export const aDeploy: Scene = async options => {
  if (!options.inProcesses) return true
  const { screen, job, workers } = options
  // Each worker still has calls to ask for when it is replaced.
  const slow = { ...options, job: { ...job, askEvery: GAP } }
  const each = Math.max(1, Math.floor(job.calls / 5))
  const ends: boolean[] = []
  screen.print(
    `\nA deploy: each worker gets SIGTERM and finishes its line, and a new process asks for the calls that are left`,
  )
  const outcome = await perform(
    slow,
    Array.from({ length: workers }, (_, worker) => ({
      after: 1 + worker * each,
      async happen({ crew }) {
        ends.push((await crew.replace?.(worker)) === true)
      },
    })),
  )
  return all(
    haveStarted(options, outcome.calls),
    hasKeptPace(screen, outcome.calls),
    hasKeptOrder(options, outcome.calls),
    check(screen, 'the old workers ended by themselves', ends.length === workers && ends.every(Boolean)),
    isEmpty(screen, outcome),
  )
}

/** The server with the counters is killed, and comes back empty. */
export const theServerIsLost: Scene = async options => {
  const { screen, job, workers, loseServer } = options
  if (loseServer === undefined) return true
  screen.print('\nRedis is killed while calls wait, and an empty one starts in its place a second later')
  const outcome = await perform(options, [
    { after: Math.ceil((workers * job.calls) / 4), happen: () => loseServer() },
  ])
  const { calls } = outcome
  // A capacity may start once more, because the counter was lost, and what the others start until they hear of that: a second at the rate.
  const most = CALLS.burst + CALLS.limit
  const ahead = mostAhead(calls)
  return all(
    haveStarted(options, calls),
    check(
      screen,
      `${ahead} ${ahead === 1 ? 'call' : 'calls'} started too early, and ${most} may`,
      ahead <= most,
    ),
    hasKeptOrderOfEach(options, calls),
    isEmpty(screen, outcome),
  )
}

function haveStarted({ screen, job, workers }: Show, calls: readonly Call[]): boolean {
  const count = workers * job.calls
  return check(screen, `all ${count} calls started`, calls.length === count)
}

function hasKeptPace(screen: Screen, calls: readonly Call[], gap = GAP): boolean {
  const soon = early(calls, gap).length
  const said = soon === 0 ? 'no call started before its time' : `${soon} calls started before their time`
  return check(screen, said, soon === 0)
}

function hasKeptOrder({ screen, tolerance = 100 }: Show, calls: readonly Call[]): boolean {
  const holds = overtakers(calls, tolerance).length === 0
  return check(screen, 'they started in the order in which they were asked for', holds)
}

function hasKeptOrderOfEach(options: Show, calls: readonly Call[]): boolean {
  const { screen, workers, tolerance = 100 } = options
  const each = Array.from({ length: workers }, (_, index) => calls.filter(({ worker }) => worker === index))
  const holds = each.every(own => overtakers(own, tolerance).length === 0)
  return check(screen, 'those of each worker started in the order in which they were asked for', holds)
}

function isEmpty(screen: Screen, { waiting }: Outcome): boolean {
  const said =
    waiting === undefined ? 'nobody knows whether the line is empty' : `${waiting} units wait in line`
  return check(screen, waiting === 0 ? 'the line is empty' : said, waiting === 0)
}

/** Prints a line for something that should hold. */
function check(screen: Screen, what: string, holds: boolean): boolean {
  screen.print(`  ${holds ? '✓' : '✗'} ${what}`)
  return holds
}

function all(...held: readonly boolean[]): boolean {
  return held.every(Boolean)
}
