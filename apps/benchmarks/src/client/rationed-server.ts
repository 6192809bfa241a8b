import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a server counted. */
export interface Rations {
  readonly served: number
  readonly refused: number
  /** Seconds in which it refused at least one call. */
  readonly breaches: number
}

/** A server that allows some calls per second, by its clock, and answers the others with 429 and `Retry-After: 1`. */
export interface RationedServer {
  readonly url: string
  /** The counts since the last time. */
  take(): Rations
  stop(): Promise<void>
}

/** Starts a server on 127.0.0.1. */
export async function startRationed(perSecond: number): Promise<RationedServer> {
  let seconds = new Map<number, { served: number; refused: number }>()
  const server = createServer((_req, res) => {
    const second = Math.floor(Date.now() / 1000)
    const count = seconds.get(second) ?? { served: 0, refused: 0 }
    seconds.set(second, count)
    if (count.served < perSecond) {
      count.served++
      res.end('ok')
    } else {
      count.refused++
      res.writeHead(429, { 'Retry-After': '1' }).end()
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    take() {
      const all = [...seconds.values()]
      seconds = new Map()
      const sum = (field: 'served' | 'refused'): number => all.reduce((total, each) => total + each[field], 0)
      return {
        served: sum('served'),
        refused: sum('refused'),
        breaches: all.filter(({ refused }) => refused > 0).length,
      }
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
