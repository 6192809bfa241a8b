import { runChild } from '../child.ts'
import { median } from '../cpu.ts'
import type { Effort } from '../memory.ts'
import { figure, type Section } from '../report.ts'
import { startServer } from '../server.ts'
import { hot, type HotName, hotNames, LEASE } from './contestants.ts'
import { type HotFigures, runHot } from './fleet.ts'
import type { LocalRun } from './local-run.ts'

const PROCESSES = 4
const FLIGHT = 256
/** So large that nothing is refused. */
const WIDE = { limit: 2_000_000_000, windowMs: 600_000 }
/** A limit that is asked for nine tenths. */
const BUSY = { limit: 20_000, windowMs: 1000 }
/** A limit that many processes ask for many times over. */
const TIGHT = { limit: 20_000, windowMs: 600_000 }
const MANY = 16

const limiting = hotNames.filter(name => name !== 'increment')

/** Lets many processes ask for a limit many times over. Resolves to the units admitted, to those that the limit allows. */
async function runTight(name: HotName, quick: boolean): Promise<number> {
  const { admittedInAll, ms } = await runHot(MANY, { name, limit: TIGHT, ms: quick ? 500 : 4000, flight: 32 })
  const comesBack = name === 'leased' || name === 'exact' ? ms / TIGHT.windowMs : 0
  return admittedInAll / (TIGHT.limit * (1 + comesBack))
}

/** Measures one busy key: checks a second, calls of the server, what is admitted too much, and what is refused too early. */
export async function lease({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 5
  const ms = quick ? 300 : 2000
  const rushes = new Map<HotName, HotFigures[]>(hotNames.map(name => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const name of hotNames)
      rushes.get(name)?.push(await runHot(PROCESSES, { name, limit: WIDE, ms, flight: FLIGHT }))
  const of = (name: HotName, read: (figures: HotFigures) => number): number =>
    median((rushes.get(name) ?? []).map(read))
  const toIncr = (name: HotName): number => of(name, run => run.rate) / of('increment', run => run.rate)
  const over = new Map<HotName, number>()
  for (const name of limiting) over.set(name, await runTight(name, quick))
  const perSecond = (0.9 * BUSY.limit) / PROCESSES
  const steady = await runHot(PROCESSES, { name: 'leased', limit: BUSY, ms: quick ? 500 : 5000, perSecond })
  const local = await localCheck(quick)
  return {
    name: 'lease',
    title: `One busy key: ${PROCESSES} processes, ${FLIGHT} checks in flight in each, one Redis`,
    head: ['', 'checks a second', 'to INCR', 'calls a check', `${MANY} processes at the limit: admitted`],
    rows: hotNames.map(name => [
      hot[name].name,
      figure(of(name, run => run.rate)),
      `${toIncr(name).toFixed(2)} ×`,
      of(name, run => run.calls).toFixed(4),
      name === 'increment' ? '–' : `${(100 * (over.get(name) ?? NaN)).toFixed(1)} %`,
    ]),
    targets: [
      {
        what: 'leased: checks a second, to INCRs',
        rule: 'least',
        bound: 10,
        measured: toIncr('leased'),
        unit: '×',
      },
      {
        what: 'leased: checks that reach Redis',
        rule: 'most',
        bound: 5,
        measured: 100 * of('leased', run => run.calls),
        unit: '%',
      },
      {
        what: 'a check that a lease pays, to a check in memory',
        rule: 'most',
        bound: 1.3,
        measured: local.leased / local.memory,
        unit: '×',
      },
      {
        what: `${MANY} processes: admitted, to what the bucket allows`,
        rule: 'most',
        bound: 1,
        measured: over.get('leased') ?? NaN,
        unit: '×',
      },
      {
        what: 'a steady load of 90 % of the limit: refused',
        rule: 'most',
        bound: 2,
        measured: 100 * (1 - steady.admitted / steady.asked),
        unit: '%',
      },
    ],
    notes: [
      `Median of ${rounds} rounds of ${ms / 1000} s. All processes and the server share the machine's cores. lease: ${JSON.stringify(LEASE)}.`,
      'rate-limiter-flexible remembers in memory only that a key is blocked, so it asks Redis for every check that is admitted.',
      `${MANY} processes ask for ${TIGHT.limit} per ${TIGHT.windowMs / 60_000} min with 32 in flight each, until all is spent: 100 % is what the limit allows, for a bucket the burst and what comes back from the first ask to the last answer.`,
      "Upstash's limiter answers from the process's own count of the window and sends each admitted check to Redis as well, so its processes do not know of each other's.",
      `The steady load is ${perSecond} checks a second in each of ${PROCESSES} processes, of a bucket of ${BUSY.limit} a second.`,
      `CPU of a check that a lease pays: ${figure(local.leased)} ns; in memory: ${figure(local.memory)} ns.`,
    ],
  }
}

async function localCheck(quick: boolean): Promise<LocalRun> {
  const server = await startServer()
  try {
    return await runChild<LocalRun>('lease/local-run.js', [server.url, quick ? '2000' : '200000'])
  } finally {
    await server.stop()
  }
}
