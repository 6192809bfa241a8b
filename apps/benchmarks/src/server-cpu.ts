import { Redis } from 'ioredis'

/** The server's own figures since the start of the stretch. */
export interface ServerWork {
  /** CPU time in microseconds, that of the network included. */
  readonly cpu: number
  /** The number of script calls: EVALSHA and EVAL. */
  readonly calls: number
  /** The time inside those calls, in microseconds. */
  readonly script: number
}

function sum(stats: string, lines: RegExp): { calls: number; time: number } {
  let calls = 0
  let time = 0
  for (const [, count, usec] of stats.matchAll(lines)) {
    calls += Number(count)
    time += Number(usec)
  }
  return { calls, time }
}

/** Reads a server's figures over a connection of its own. */
export class ServerWatch {
  readonly #redis: Redis
  #cpu = 0

  constructor(url: string) {
    this.#redis = new Redis(url)
  }

  /** Begins a stretch. */
  async start(): Promise<void> {
    await this.#redis.config('RESETSTAT')
    this.#cpu = await this.#used()
  }

  /** Ends a stretch. */
  async stop(): Promise<ServerWork> {
    const cpu = (await this.#used()) - this.#cpu
    const stats = await this.#redis.info('commandstats')
    const scripts = sum(stats, /^cmdstat_(?:evalsha|eval):calls=(\d+),usec=(\d+)/gm)
    // Scripts call INCR too, so INCR counts as a client's command only if there are no scripts.
    const { calls, time } = scripts.calls > 0 ? scripts : sum(stats, /^cmdstat_incr:calls=(\d+),usec=(\d+)/gm)
    return { cpu, calls, script: time }
  }

  /** The average size in bytes of the keys whose names match. */
  async bytesPerKey(pattern: string): Promise<number> {
    const keys = await this.#redis.keys(pattern)
    let bytes = 0
    for (const key of keys) bytes += Number(await this.#redis.memory('USAGE', key))
    return bytes / keys.length
  }

  async clear(): Promise<void> {
    await this.#redis.flushall()
  }

  close(): void {
    this.#redis.disconnect()
  }

  async #used(): Promise<number> {
    const info = await this.#redis.info('cpu')
    const seconds = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
    return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6
  }
}
