import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { figure, type Section } from '../report.ts'
import { startServer } from '../server.ts'
import { callers } from './callers.ts'
import type { Calls } from './calls-run.ts'
import { type Rations, startRationed } from './rationed-server.ts'

const PROCESSES = 4
const PER_SECOND = 50
const AT_ONCE = 25

/** Compares ways of calling a server that refuses: the 429s that they meet, and how long all calls take. */
export async function client({ quick }: { quick: boolean }): Promise<Section> {
  const each = quick ? 1 : 5
  const redis = await startServer()
  const server = await startRationed(PER_SECOND)
  try {
    const rows: string[][] = []
    const found = new Map<string, Rations>()
    for (const caller of Object.keys(callers)) {
      const calls: Calls = { caller, url: server.url, redisUrl: redis.url, atOnce: AT_ONCE, each }
      const processes = await Promise.all(Array.from({ length: PROCESSES }, () => startProcess(calls)))
      server.take()
      const started = performance.now()
      const served = await Promise.all(processes.map(run => run()))
      const seconds = (performance.now() - started) / 1000
      const rations = server.take()
      found.set(caller, rations)
      const wanted = PROCESSES * AT_ONCE * each
      const lost = wanted - served.reduce((sum, count) => sum + count, 0)
      rows.push([
        caller,
        ...[wanted, lost, rations.refused, rations.breaches].map(String),
        perBreach(rations),
        seconds.toFixed(1),
      ])
    }
    return {
      name: 'client',
      title: `Calls of ${PROCESSES} processes to a server that allows ${PER_SECOND} per second`,
      head: [
        '',
        'calls',
        'never served',
        '429s met',
        'seconds with a 429',
        '429s in such a second',
        'seconds',
      ],
      rows,
      targets: [...found]
        .filter(([caller]) => caller.startsWith('limitedFetch'))
        .map(([caller, { refused, breaches }]) => ({
          what: `${caller}: 429s a breach, at most processes + 1`,
          bound: PROCESSES + 1,
          measured: refused / Math.max(1, breaches),
          unit: '429s',
          rule: 'most',
        })),
      notes: [
        `Each process has ${AT_ONCE} callers that call one after the other. The server counts by whole seconds of its clock and answers 429 with \`Retry-After: 1\`.`,
        'The limiter counts in Redis, with `burst: 1` and `storeTimeout: "2s"`. At 60 per second it allows more than the server does, as if somebody had read the wrong number. The others have no limiter, so only refusals hold them back; both may try each call 11 times.',
        'Seconds are wall time. The processes begin at the same time, after a call each that is not counted.',
      ],
    }
  } finally {
    await server.stop()
    await redis.stop()
  }
}

function perBreach({ refused, breaches }: Rations): string {
  return breaches === 0 ? '–' : figure(refused / breaches)
}

/** Starts a process of callers. Returns the function that lets it call; it resolves to the number of calls that were served. */
async function startProcess(calls: Calls): Promise<() => Promise<number>> {
  const child = fork(fileURLToPath(new URL('calls-run.js', import.meta.url)), [JSON.stringify(calls)])
  const ended = once(child, 'exit')
  // After all messages, unlike its exit.
  const failed = once(child, 'disconnect').then(() => {
    throw new Error('A process of callers ended without its result.')
  })
  failed.catch(() => {})
  const message = async (): Promise<unknown> => (await Promise.race([once(child, 'message'), failed]))[0]
  await message()
  return async () => {
    child.send('go')
    const served = await message()
    await ended
    return Number(served)
  }
}
