import type { HaltWarning } from '@halt/core'

import type { OpenRedis } from '../operate/redis.ts'
import type { Finding } from './finding.ts'

const ROUND_TRIPS = 20
/** Clocks further apart than this matter only with `clock: "client"`, in milliseconds. */
const MOST_APART_MS = 1000

/** Examines Redis: version, round trip, clock, and all that the store's own inspection warns of. */
export async function redisFindings({
  client,
  store,
}: Pick<OpenRedis, 'client' | 'store'>): Promise<Finding[]> {
  const { median, apart } = await measure(client)
  const warnings = await store.inspect()
  const server = await versionOf(client)
  return [
    { level: 'ok', message: `Redis answers${server}.` },
    { level: 'info', message: `A round trip takes ${median.toFixed(1)} ms (median of ${ROUND_TRIPS}).` },
    clockFinding(apart),
    ...storeFindings(warnings, 'Permissions, scripts, eviction and role are as Halt needs them.'),
  ]
}

/** The warnings of a store's own inspection. @param well what is said if there are none */
export function storeFindings(warnings: readonly HaltWarning[], well: string): Finding[] {
  if (warnings.length === 0) return [{ level: 'ok', message: well }]
  return warnings.map(({ code, message, fix }): Finding => ({ level: 'problem', code, message, fix }))
}

/** The median round trip, and how far the server's clock is ahead of this process's: by the quickest answer. Milliseconds. */
async function measure(client: OpenRedis['client']): Promise<{ median: number; apart: number | undefined }> {
  const trips: number[] = []
  let [best, apart]: [number, number | undefined] = [Number.POSITIVE_INFINITY, undefined]
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const started = performance.now()
    const before = Date.now()
    // A user may be forbidden to call TIME outside of scripts. The refusal is a round trip, too.
    const time = await client.time().catch(() => undefined)
    const trip = performance.now() - started
    trips.push(trip)
    if (time === undefined || trip >= best) continue
    best = trip
    apart = Number(time[0]) * 1000 + Number(time[1]) / 1000 - (before + trip / 2)
  }
  return { median: trips.toSorted((a, b) => a - b)[ROUND_TRIPS / 2]!, apart }
}

function clockFinding(apart: number | undefined): Finding {
  if (apart === undefined)
    return { level: 'info', message: 'The clock of Redis is not known, because TIME is not permitted.' }
  const text = `The clock of Redis is ${Math.abs(apart).toFixed(0)} ms ${apart < 0 ? 'behind' : 'ahead of'} this machine's.`
  if (Math.abs(apart) <= MOST_APART_MS) return { level: 'ok', message: text }
  return {
    level: 'problem',
    message: text,
    fix: 'Synchronise both by NTP. Halt counts by the clock of Redis, but resetAt is compared with the clocks of clients.',
  }
}

async function versionOf(client: OpenRedis['client']): Promise<string> {
  // INFO is often not permitted.
  const info = await client.info('server').catch(() => '')
  const [, valkey] = /^valkey_version:(\S+)/m.exec(info) ?? []
  const [, redis] = /^redis_version:(\S+)/m.exec(info) ?? []
  if (valkey !== undefined) return ` (Valkey ${valkey})`
  return redis === undefined ? '' : ` (Redis ${redis})`
}
