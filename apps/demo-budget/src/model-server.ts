import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { PART, price, PROMPT } from './money.ts'

/** A model that streams. */
export interface ModelServer {
  readonly url: string
  /** What it has billed, in millionths of a dollar: each prompt, and each token that it made, read or not. */
  readonly bill: () => number
  /** The answers that it began, and those that were cut. */
  readonly answers: () => { readonly begun: number; readonly cut: number }
  close(): Promise<void>
}

/** The milliseconds that a part takes. */
const GAP = 25

/**
 * Starts a model. It makes a part of the answer for each byte of the request's body, so it is never further than its reader by more than
 * a part. The last line of an answer has the usage.
 */
export async function startModel(): Promise<ModelServer> {
  let input = 0
  let output = 0
  let begun = 0
  let cut = 0
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const most = Number(new URL(request.url ?? '', 'http://model').searchParams.get('most'))
    // From a third of what was asked for to all of it, as models do.
    const length = Math.max(1, Math.ceil((most * (1 + (begun++ % 3))) / 3))
    let made = 0
    input += PROMPT
    const makePart = (): void => {
      if (response.destroyed || made === length) return
      const tokens = Math.min(PART, length - made)
      made += tokens
      output += tokens
      response.write(`${JSON.stringify({ text: 'tok '.repeat(tokens) })}\n`)
      if (made === length) response.end(`${JSON.stringify({ usage: { input: PROMPT, output: made } })}\n`)
    }
    request.on('data', () => void setTimeout(makePart, GAP))
    response.on('close', () => {
      if (made < length) cut++
    })
    response.writeHead(200, { 'Content-Type': 'application/jsonl' }).flushHeaders()
  }
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bill: () => price({ input, output }),
    answers: () => ({ begun, cut }),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
