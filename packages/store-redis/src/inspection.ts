import type { HaltWarning } from '@halt/core'

import { type Link, toStoreError } from './connection/index.ts'
import { probe } from './scripts.ts'

const EVICTS = /^allkeys-|^volatile-(lru|lfu|random)$/
const SLOW_MS = 25

/** Looks at what a server is and allows, and says what should be mended. A look that is not permitted is no complaint. */
export async function inspect(link: Link, key: string): Promise<HaltWarning[]> {
  const found: HaltWarning[] = []
  await link.opened
  const started = performance.now()
  try {
    await link.command(['PING'], key)
  } catch (error) {
    const { message, failure } = toStoreError(error)
    const fix =
      failure === 'misconfigured'
        ? ACL
        : 'See that it runs and is reachable; until then policies decide by onStoreError.'
    return [{ code: 'HALT_W_STORE_UNAVAILABLE', message: `Redis does not answer: ${message}.`, fix }]
  }
  const trip = performance.now() - started
  if (trip > SLOW_MS) {
    found.push({
      code: 'HALT_W_STORE_SLOW',
      message: `A round trip to Redis takes ${Math.round(trip)} ms.`,
      fix: 'Move it nearer, or raise storeTimeout (100 ms) to several times that.',
    })
  }
  await look(() => checkEviction(link, key, found))
  await look(() => checkRole(link, key, found))
  await checkPermissions(link, key, found)
  return found
}

const ACL =
  'Grant the user +evalsha +eval +time +get +mget +set +del +ping and the keys ~halt:* (see the ACL line in the docs).'

async function checkEviction(link: Link, key: string, found: HaltWarning[]): Promise<void> {
  const memory = String(await link.command(['INFO', 'memory'], key))
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? ''
  const isLimited = !/^maxmemory:0\s*$/m.test(memory)
  if (!isLimited || !EVICTS.test(policy)) return
  found.push({
    code: 'HALT_W_EVICTION',
    message: `Redis evicts keys by "${policy}" when it is full: a counter that is evicted starts anew.`,
    fix: 'Set maxmemory-policy to noeviction or volatile-ttl, or give Halt a Redis of its own.',
  })
}

async function checkRole(link: Link, key: string, found: HaltWarning[]): Promise<void> {
  const replication = String(await link.command(['INFO', 'replication'], key))
  if (!/^role:slave/m.test(replication)) return
  found.push({
    code: 'HALT_W_REPLICA',
    message: 'The client is connected to a replica, which cannot count.',
    fix: 'Connect to the primary, or through Sentinel or Cluster.',
  })
}

// Runs what a check runs, on a key of its own.
async function checkPermissions(link: Link, key: string, found: HaltWarning[]): Promise<void> {
  try {
    await link.run(probe, [key], [])
  } catch (error) {
    const { message } = toStoreError(error)
    found.push({
      code: 'HALT_W_PERMISSION',
      message: `Redis refuses what a check needs: ${message}.`,
      fix: ACL,
    })
  }
}

async function look(check: () => Promise<void>): Promise<void> {
  try {
    await check()
  } catch {
    // INFO is not needed to decide, and often not permitted.
  }
}
