// Plays a story of a town, and judges it.
import { endingOf } from './endings.ts'
import { happens, type Happening } from './happenings.ts'
import { longestStillness } from './idle.ts'
import { idealOf, type IdealStart, type Job } from './ideal.ts'
import {
  type Allowance,
  atOnce,
  BESIDE_FLIGHTS,
  BESIDE_WINDOW,
  CHANGING,
  dueOf,
  excessesOf,
  failures,
  heldUpBy,
  heldTooLong,
  mostHeld,
  mostOvertaken,
  refusedInPatience,
  refusedLate,
  STEADY,
} from './judges.ts'
import { counterOf, type Units, unitsOf } from './counters.ts'
import { type Story, unitsIn } from './setups.ts'
import { untrueWaits } from './told.ts'
import { makeTown, type Town } from './town.ts'

/** What a story showed. */
export interface Shown {
  readonly story: Story
  /** What was wrong, in words. */
  readonly said: readonly string[]
  readonly starts: number
  readonly due: number
  /** Whether the starts are judged by what is due. */
  readonly isDueJudged: boolean
  /** The worst excess of the fastest bucket and of the slowest one, with starts as late as allowed, in calls. */
  readonly excessOfFast: number
  readonly excessOfSlow: number
  /** The worst excess of a bucket if each start is in time, in units. */
  readonly excessInTime: number
  /** Calls of the store for each start. */
  readonly callsPerStart: number
  /** How often callers asked. */
  readonly asks: number
  readonly refused: number
  readonly refusedLate: number
  readonly leftover: number
  readonly overtaken: number
  readonly untrue: number
}

/** How long stories are. */
export interface Length {
  /** Starts that a story aims at. */
  readonly starts: number
  /** The longest time, in milliseconds. */
  readonly mostMs: number
  /** The most looks of lines, one a second for each process and client. */
  readonly looks: number
}

/** The share of what is due that must start. */
const USE = 0.97
/** The longest time in which callers may stand still with room, in microseconds: until each process has looked twice. */
const STILL = 2_500_000
/** Where something of it happens, callers may stand still, or the book does not know which room there is. */
const MAY_STAND: ReadonlySet<Happening['does']> = new Set(['limit', 'pause', 'block', 'outage'])
/** The share of callers that may be refused by a line of which others are just being turned away. */
const RACES = 0.01
/** How many callers may overtake one of the same client and cost in its process: as many as wait at once, if they come again. */
const CROWD = 20
/** The shortest story, in milliseconds. */
const LEAST_MS = 300
/** How often as many may overtake one over all processes, of which each hears later. */
const TURNS = 2

/** Plays a story to its end. */
export async function show(story: Story, length: Length): Promise<Shown> {
  const horizonMs = horizonOf(story, length)
  const town = await makeTown({
    policies: story.policies,
    processes: story.processes,
    seed: story.seed,
    delays: { least: 500, most: story.latency },
    isControlled: story.happenings.some(({ does }) => does === 'limit' || does === 'block'),
    ...(story.mostWaiting === undefined ? {} : { limiter: { mostWaiting: story.mostWaiting } }),
    ...(story.heldMs === undefined ? {} : { heldMs: story.heldMs }),
  })
  try {
    await come(town, story, horizonMs)
    const measured = measure(town, story)
    const { said, leftover } = await endingOf(town, story.doAllLeave || story.maxWaitMs > 60_000)
    return { ...measured, said: [...measured.said, ...verdict(town, story), ...said], leftover }
  } finally {
    town.end()
  }
}

/** What can be said only as the demand ends. */
function measure(town: Town, story: Story): Omit<Shown, 'leftover'> {
  const starts = town.starts.length
  const due = town.isChanged ? 0 : dueOf(town).length
  const isDueJudged = isJudgedByDue(town, story, due)
  const said: string[] = []
  if (isDueJudged) {
    // So that a window that begins anew at the end does not count, the share is one of the time.
    const dueEarlier = dueOf(town, USE * town.time.now - 4 * atOnce(town))
    // A counter of each client may be one call behind, and so may all together.
    const slack = 2 + Math.min(story.clients, due / 10)
    if (isFewer(town, dueEarlier, slack)) said.push(`too few: ${starts} of ${due} due`)
  }
  const excesses = excessesOf(town, allowanceOf(town, story))
  const speeds = town.counters.flatMap(counter =>
    counter.kind === 'bucket' ? { counter, speed: counter.limit / counter.window } : [],
  )
  const buckets = speeds.toSorted((a, b) => a.speed - b.speed).map(({ counter }) => counter.name)
  const callsOf = (name: string | undefined): number =>
    excesses.find(({ counter }) => counter === name)?.calls ?? 0
  const untrue = town.isChanged || story.mostWaiting !== undefined ? [] : untrueWaits(town)
  const [first] = untrue
  if (first !== undefined) {
    const { by, call } = first
    said.push(
      `untrue wait: ${untrue.length}, one by ${by / 1000} ms of ${call.retryAfter! / 1000} by ${call.policy}`,
    )
  }
  return {
    story,
    said,
    starts,
    due,
    isDueJudged,
    excessOfFast: callsOf(buckets.at(-1)),
    excessOfSlow: callsOf(buckets[0]),
    excessInTime: Math.max(
      0,
      ...excesses.flatMap(({ counter, units }) => (buckets.includes(counter) ? units : [])),
    ),
    callsPerStart: town.asked / Math.max(1, starts),
    asks: town.calls.length,
    refused: town.calls.filter(({ end }) => end === 'refused').length,
    refusedLate: refusedLate(town).length,
    overtaken: mostOvertaken(town, true),
    untrue: untrue.length,
  }
}

function verdict(town: Town, story: Story): string[] {
  const { mostWaiting = Infinity, demand, happenings } = story
  const said: string[] = []
  const allowance = allowanceOf(town, story)
  for (const { key, units, calls } of excessesOf(town, allowance))
    if (calls > allowance.calls)
      said.push(`too much: ${key}, ${calls.toFixed(2)} calls, ${units.toFixed(2)} units`)
  const held = heldTooLong(town)
  if (held.length > 0) said.push(`held too long: ${held.length}`)
  const failed = failures(town)
  if (failed.length > 0) said.push(`failed: ${failed.length}, ${failed[0]!.reason}`)
  const waiting = mostHeld(town)
  // While the store does not answer, callers are held that do not wait.
  const isAway = happenings.some(({ does }) => does === 'outage')
  if (waiting > mostWaiting && !isAway) said.push(`too many wait: ${waiting} of ${mostWaiting}`)
  const still = longestStillness(town)
  if (
    still !== undefined &&
    still.to - still.from > STILL + heldUpBy(town) &&
    !happenings.some(({ does }) => MAY_STAND.has(does))
  )
    said.push(`stood still: ${still.client} for ${(still.to - still.from) / 1000} ms with room`)
  if (town.isChanged || mostWaiting < Infinity) return said
  const early = refusedInPatience(town)
  // Others may have left between the refusal and the question for its wait.
  if (early.length > RACES * town.calls.length + 1)
    said.push(`refused in patience: ${early.length}, told ${early[0]!.retryAfter! / 1000} ms`)
  // Where callers ask again, and are not in line, they keep the order of their process alone.
  if (!town.counters.every(({ kind }) => kind === 'bucket')) return said
  const crowd = demand.comes === 'steadily' ? demand.workers : CROWD
  const overtaken = mostOvertaken(town, true)
  if (overtaken > crowd) said.push(`overtaken: by ${overtaken} of the same process`)
  const everywhere = mostOvertaken(town, false)
  if (everywhere > TURNS * crowd) said.push(`overtaken: by ${everywhere} of all processes`)
  return said
}

// Who is turned away by a full line has had a place for a moment, so that something always changes.
function allowanceOf(town: Town, { mostWaiting }: Story): Allowance {
  if (town.isChanged || mostWaiting !== undefined) return CHANGING
  if (town.counters.some(({ kind }) => kind === 'concurrency')) return BESIDE_FLIGHTS
  return town.counters.some(({ kind }) => kind !== 'bucket') ? BESIDE_WINDOW : STEADY
}

/** Whether callers are always there: those that come again, or all from the beginning, and that wait long enough. */
function isJudgedByDue(
  town: Town,
  { demand, maxWaitMs, mostWaiting, costs, heldMs = 0 }: Story,
  due: number,
): boolean {
  if (town.isChanged) return false
  // Those who wait must be enough for the time in which nobody new can have heard.
  const inTrips = (due * 2 * atOnce(town)) / town.time.now
  const slowest = Math.max(
    ...town.counters.map(({ kind, window, limit }) => (kind === 'bucket' ? window / limit / 1000 : 0)),
    heldMs,
  )
  const isPatient = maxWaitMs >= 3 * slowest * (costs === 'mixed' ? 5 : 1)
  // Where few may wait for requests in flight, a place may be free that nobody hears of.
  if (heldMs > 0 && mostWaiting !== undefined) return false
  return isPatient && (mostWaiting === undefined || (demand.comes === 'steadily' && mostWaiting > inTrips))
}

/** Whether fewer calls started than were due, and of each counter fewer units: dear calls may start where cheap ones were due. */
function isFewer({ starts, counters }: Town, due: readonly IdealStart[], slack: number): boolean {
  return counters.every(counter => {
    const unitsIn = (calls: readonly { readonly units: Units }[]): number[] =>
      calls.map(({ units }) => unitsOf(counter, units))
    const sum = (units: readonly number[]): number => units.reduce((total, one) => total + one, 0)
    const dearest = Math.max(1, ...unitsIn(due))
    return starts.length < due.length - slack && sum(unitsIn(starts)) < sum(unitsIn(due)) - slack * dearest
  })
}

/** Lets callers come, and things happen, until the end of the demand. */
async function come(town: Town, story: Story, horizonMs: number): Promise<void> {
  const { demand, clients, processes, maxWaitMs, by, happenings, heldMs } = story
  town.until = horizonMs * 1000
  const way = heldMs === undefined ? by : 'run'
  const who = (i: number) => ({ process: i % processes, client: `c${i % clients}`, maxWaitMs, by: way })
  const own = (i: number) => ({ ...who(i), units: unitsIn(story, i, 0) })
  if (demand.comes === 'steadily')
    for (let i = 0; i < demand.workers; i++) town.work({ ...who(i), units: n => unitsIn(story, i, n) })
  else if (demand.comes === 'at once') for (let i = 0; i < demand.callers; i++) town.ask(own(i))
  else {
    const count = Math.max(10, Math.round(idealStarts(story, horizonMs) * demand.load))
    for (let i = 0; i < count; i++)
      town.time.at(Math.round(town.random.next() * horizonMs * 1000), () => void town.ask(own(i)))
  }
  const under: Promise<void>[] = []
  const state = { open: 0 }
  for (const what of happenings)
    town.time.at(Math.round(what.at * horizonMs * 1000), () => {
      state.open++
      under.push(
        happens(town, what)
          .catch(tolerate)
          .finally(() => state.open--),
      )
    })
  await town.pass(horizonMs)
  for (let i = 0; i < 100 && state.open > 0; i++) await town.pass(100)
  await Promise.all(under)
}

/** An operator's act may fail as the store goes away, and must say so. */
function tolerate(error: unknown): void {
  const { code, failure } = error as { readonly code?: unknown; readonly failure?: unknown }
  if (code !== 'HALT_E_STORE' && failure !== 'unavailable') throw error
}

/** How long a story takes, so that about as many start as it aims at. */
function horizonOf(story: Story, { starts, mostMs, looks }: Length): number {
  const lines = Math.min(story.clients, 100) * story.processes
  const most = Math.min(mostMs, Math.max(10 * LEAST_MS, (looks / lines) * 1000))
  const found = ideal(story, most)
  const at = found[starts - 1]?.at
  return at === undefined ? most : Math.max(LEAST_MS, Math.ceil(at / 1000))
}

function idealStarts(story: Story, ms: number): number {
  return ideal(story, ms).length
}

function ideal(story: Story, ms: number) {
  const workers = story.demand.comes === 'steadily' ? story.demand.workers : 50
  const jobs = Array.from({ length: workers }, (_, i): Job => ({
    client: `c${i % story.clients}`,
    at: 0,
    maxWait: Infinity,
    units: n => unitsIn(story, i, n),
    isSteady: true,
  }))
  const held = (story.heldMs ?? 0) * 1000
  return idealOf(story.policies.map(counterOf), jobs, {
    until: ms * 1000,
    again: 4 * story.latency + held,
    held,
  })
}
