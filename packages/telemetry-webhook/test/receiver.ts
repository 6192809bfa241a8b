import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Webhook } from 'standardwebhooks'

import type { QuotaEvent } from '../src/index.ts'

/** The secret of all tests. */
export const SECRET: string = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** A webhook as the receiver got it. Its signature was verified. */
interface Received {
  readonly id: string
  readonly headers: IncomingHttpHeaders
  readonly event: QuotaEvent
}

/** A running receiver. */
export interface Receiver {
  readonly received: readonly Received[]
  readonly url: string
  readonly close: () => void
}

/** An HTTP server that verifies signatures by the reference library, and answers as it is told: a status, or `hang`. */
export async function startReceiver(...answers: readonly (number | 'hang')[]): Promise<Receiver> {
  const received: Received[] = []
  const left = [...answers]
  const server = createServer((request, response) => {
    void (async () => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      const event = new Webhook(SECRET).verify(body, request.headers as Record<string, string>) as QuotaEvent
      received.push({ id: String(request.headers['webhook-id']), headers: request.headers, event })
      const answer = left.shift() ?? 204
      if (answer !== 'hang')
        response.writeHead(answer, { location: 'http://127.0.0.1:1/' }).end('x'.repeat(1_000))
    })().catch(() => response.writeHead(401).end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
