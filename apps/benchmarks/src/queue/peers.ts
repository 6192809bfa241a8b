import Bottleneck from 'bottleneck'
import { Redis } from 'ioredis'
import PQueue from 'p-queue'
import pThrottle from 'p-throttle'
import { RateLimiterMemory, RateLimiterQueue, RateLimiterRedis } from 'rate-limiter-flexible'

import { gapOf, type QueueContestant } from './contestant.ts'

// What the queues start. The caller goes on when it is resolved.
const start = (): Promise<void> => started
const started = Promise.resolve()

/** The queue of rate-limiter-flexible: the first job of each process asks again when a window ends. */
export const flexible: QueueContestant = {
  name: 'rate-limiter-flexible, RateLimiterQueue',
  way: 'the first of a process asks again',
  isShared: true,
  async open({ limit, windowMs }, url) {
    const client = url === undefined ? undefined : new Redis(url)
    await client?.ping()
    const options = { points: limit, duration: windowMs / 1000 }
    const limiter =
      client === undefined
        ? new RateLimiterMemory(options)
        : new RateLimiterRedis({ ...options, storeClient: client })
    const queue = new RateLimiterQueue(limiter, { maxQueueSize: 20_000 })
    return {
      turn: () => queue.removeTokens(1),
      close: () => client?.disconnect(),
    }
  },
}

/** Bottleneck, in Redis by its own datastore. */
export const bottleneck: QueueContestant = {
  name: 'bottleneck',
  way: 'a least time between jobs',
  isShared: true,
  async open(pace, url) {
    const minTime = gapOf(pace)
    if (url === undefined) {
      const limiter = new Bottleneck({ minTime })
      return { turn: () => limiter.schedule(start), close: () => limiter.disconnect(false) }
    }
    const connection = new Bottleneck.IORedisConnection({ client: new Redis(url) })
    const limiter = new Bottleneck({ id: 'jobs', datastore: 'ioredis', connection, minTime })
    // Without a listener, an error of its connection would end the process.
    limiter.on('error', () => {})
    await limiter.ready()
    return { turn: () => limiter.schedule(start), close: () => connection.disconnect(false) }
  },
}

/** p-throttle: the calls of one function in this process. */
export const throttle: QueueContestant = {
  name: 'p-throttle',
  way: 'windows of a process',
  isShared: false,
  async open({ limit, windowMs }) {
    const turn = pThrottle({ limit, interval: windowMs })(start)
    return { turn, close: () => {} }
  },
}

/** p-queue with an interval: the jobs of this process. */
export const queue: QueueContestant = {
  name: 'p-queue',
  way: 'windows of a process',
  isShared: false,
  async open({ limit, windowMs }) {
    const jobs = new PQueue({ intervalCap: limit, interval: windowMs })
    return { turn: () => jobs.add(start), close: () => jobs.clear() }
  },
}
