import { createHash } from 'node:crypto'

import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from 'ioredis'

import type { HotLimit, OpenHot } from './hot-limit.ts'

/**
 * `Ratelimit.cachedFixedWindow`, its script sent by ioredis, because REST would cost more than the rest. It answers from the
 * process's own count, and sends each admitted check to Redis as well. A check ends here when that call has ended: otherwise
 * calls without number would wait in the process.
 */
export async function upstash(url: string, { limit, windowMs }: HotLimit): Promise<OpenHot> {
  const client = new Redis(url)
  const limiter = new Ratelimit({
    redis: scriptsOver(client) as never,
    limiter: Ratelimit.cachedFixedWindow(limit, `${windowMs} ms`),
    ephemeralCache: new Map(),
  })
  return {
    async ask() {
      const { success, pending } = await limiter.limit('hot')
      await pending
      return success
    },
    close: () => client.quit(),
  }
}

/** The commands that Upstash's limiter sends. It sends one script, which begins with a flag that only Upstash's server knows. */
function scriptsOver(client: Redis): object {
  let sha: string | undefined
  return {
    async evalsha(_hash: string, keys: string[], args: unknown[]) {
      if (sha === undefined) throw new Error('NOSCRIPT')
      return client.evalsha(sha, keys.length, ...keys, ...args.map(String))
    },
    async eval(script: string, keys: string[], args: unknown[]) {
      const source = script.replace(/^#!.*\n/, '')
      sha = createHash('sha1').update(source).digest('hex')
      return client.eval(source, keys.length, ...keys, ...args.map(String))
    },
  }
}
