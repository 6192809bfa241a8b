import type { Task } from './contestants/contestant.ts'
import { haltFair, haltRedis, haltUsers } from './contestants/redis-halt.ts'
import { ServerWatch } from './server-cpu.ts'

/** The bytes of one key in Redis, by its own MEMORY USAGE. */
export interface KeyBytes {
  readonly bucket: number
  readonly quota: number
  /** A bucket that users share fairly, and the tag of one of them. */
  readonly pool: number
  readonly tenant: number
}

const TASK: Task = { limit: 100, windowMs: 60_000 }

/** Charges a few subjects of full length, and reads the size of their keys from the server. */
export async function bytesOfKeys(url: string): Promise<KeyBytes> {
  const watch = new ServerWatch(url)
  await watch.clear()
  const buckets = await haltRedis.open(url, 'ioredis', TASK)
  for (let i = 0; i < 100; i++) await buckets.ask(`203.0.113.${100 + i}`)
  await buckets.close?.()
  const users = await haltUsers(true).open(url, 'ioredis', TASK)
  for (let i = 0; i < 100; i++) await users.ask(`user_${1000 + i}`)
  await users.close?.()
  const fair = await haltFair.open(url, 'ioredis', TASK)
  for (let i = 0; i < 100; i++) await fair.ask(`user_${1000 + i}`)
  await fair.close?.()
  const bytes = {
    bucket: await watch.bytesPerKey('halt:{ip:*:t'),
    quota: await watch.bytesPerKey('halt:*:q'),
    pool: await watch.bytesPerKey('halt:{shared}:api:t'),
    tenant: await watch.bytesPerKey('halt:{shared}:*~*'),
  }
  watch.close()
  return bytes
}
