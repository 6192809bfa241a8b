import { Redis } from 'ioredis'

import type { Section } from '../report.ts'
import { startServer } from '../server.ts'
import type { LoginContestant, Place } from './contestant.ts'
import { LIMIT } from './contestant.ts'
import { haltLogins } from './halt.ts'
import { consumeThenReward, peekThenConsume, skipSuccessful } from './peers.ts'
import { openRush } from './rush.ts'

/** All methods that are compared. */
const loginContestants: readonly LoginContestant[] = [
  haltLogins(10),
  haltLogins(undefined),
  skipSuccessful,
  peekThenConsume,
  consumeThenReward,
]

/** The results of a method: guesses admitted, and good logins refused. */
export interface LoginFigures {
  /** Wrong passwords admitted, of 50 at once and of many more. */
  readonly of50: number
  readonly ofMany: number
  /** Wrong passwords admitted, of 50 more right after the first 50. */
  readonly again: number
  /** Good logins refused, of 10 at once. */
  readonly goodRefused: number
}

/** Sends rushes of logins, each with fresh counters. The largest has `many` logins. */
export async function rushLogins(
  contestant: LoginContestant,
  place: Place,
  many = 500,
): Promise<LoginFigures> {
  const fresh = async <T>(use: (app: Awaited<ReturnType<typeof openRush>>) => Promise<T>): Promise<T> => {
    if (place !== undefined) await flush(place)
    const app = await openRush(contestant, place)
    try {
      return await use(app)
    } finally {
      await app.close()
    }
  }
  const [of50, again] = await fresh(async app => {
    const first = await app.rush(50, 'bad')
    return [first.admitted, (await app.rush(50, 'bad')).admitted] as const
  })
  const ofMany = await fresh(async app => (await app.rush(many, 'bad')).admitted)
  const goodRefused = await fresh(async app => (await app.rush(10, 'good')).refused)
  return { of50, ofMany, again, goodRefused }
}

/** Compares methods of counting only failed logins: guesses admitted, and good logins refused. */
export async function logins(): Promise<Section> {
  const server = await startServer()
  try {
    const rows: string[][] = []
    for (const [where, place] of [
      ['memory', undefined],
      ['Redis', server.url],
    ] as const) {
      for (const contestant of loginContestants) {
        const figures = await rushLogins(contestant, place)
        const { of50, ofMany, again, goodRefused } = figures
        rows.push([contestant.name, contestant.way, where, ...[of50, again, ofMany, goodRefused].map(String)])
      }
    }
    return {
      name: 'logins',
      title: `Counting only failed logins, at a limit of ${LIMIT}: what comes at once`,
      head: [
        '',
        'way',
        'counters',
        'guesses let in, of 50',
        'of the next 50',
        'of 500',
        'good logins refused, of 10',
      ],
      rows,
      targets: [],
      notes: [
        'Over real sockets to Express 5. No password check ends before every attempt at once was admitted or refused: the worst case of real logins, and the same in every run.',
        'Halt admits at most limit + inFlight guesses between recorded failures.',
      ],
    }
  } finally {
    await server.stop()
  }
}

async function flush(url: string): Promise<void> {
  const redis = new Redis(url)
  await redis.flushdb()
  redis.disconnect()
}
