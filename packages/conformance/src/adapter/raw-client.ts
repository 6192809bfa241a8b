import { afterFreeTime } from '@halt/core/store'

import type { RawSocket } from './contract.ts'

/** A response, read to its end. */
export interface RawReply {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The longest wait for a response, milliseconds. */
const PATIENCE = 30_000

/** Writes a request without normalising anything. */
export function rawRequest(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): string {
  const all = {
    Host: 'localhost',
    ...headers,
    ...(body === '' ? {} : { 'Content-Length': String(body.length) }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** A connection that sends requests as they are written, and reads their responses one after the other. */
export class Connection {
  readonly #socket: RawSocket
  #received = ''
  #closed = false
  #wake: () => void = () => {}

  constructor(socket: RawSocket) {
    this.#socket = socket
    socket.on('data', chunk => {
      this.#received += chunk.toString('latin1')
      this.#wake()
    })
    // A close follows each error.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  /** Sends requests without waiting for responses. */
  send(...requests: readonly string[]): void {
    this.#socket.write(requests.join(''))
  }

  /** Resolves to the next response, that of a request with the given method. */
  async receive(method = 'GET'): Promise<RawReply> {
    for (;;) {
      const found = parse(this.#received, method)
      if (found !== undefined) {
        this.#received = this.#received.slice(found.length)
        return found.reply
      }
      if (this.#closed)
        throw new Error(`The server closed the connection after ${JSON.stringify(this.#received)}`)
      await this.#more()
    }
  }

  /** Resolves to all that is received until the server ends the connection. */
  async rest(): Promise<string> {
    while (!this.#closed) await this.#more()
    return this.#received
  }

  /** Destroys the connection. */
  abort(): void {
    this.#socket.destroy()
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const wait = afterFreeTime(PATIENCE, () => {
        reject(new Error(`Nothing came within ${PATIENCE} ms, after ${JSON.stringify(this.#received)}`))
      })
      this.#wake = () => {
        wait.cancel()
        resolve()
      }
    })
  }
}

function parse(text: string, method: string): { reply: RawReply; length: number } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [line = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers: Record<string, string> = {}
  for (const header of lines) {
    const colon = header.indexOf(':')
    headers[header.slice(0, colon).toLowerCase()] = header.slice(colon + 1).trim()
  }
  const start = end + 4
  const rest = text.slice(start)
  // The headers of a response to HEAD tell the length of a body that is not sent.
  const length = method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0)
  const isChunked = method !== 'HEAD' && headers['transfer-encoding'] === 'chunked'
  const read = isChunked ? readChunks(rest) : readLength(rest, length)
  if (read === undefined) return undefined
  return {
    reply: { status: Number(line.split(' ')[1]), headers, body: read.body },
    length: start + read.length,
  }
}

function readLength(text: string, length: number): { body: string; length: number } | undefined {
  return text.length < length ? undefined : { body: text.slice(0, length), length }
}

function readChunks(text: string): { body: string; length: number } | undefined {
  let body = ''
  for (let at = 0; ;) {
    const line = text.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    if (!(size >= 0)) throw new Error(`No chunk begins at ${at} of ${JSON.stringify(text)}`)
    const next = line + 2 + size + 2
    if (text.length < next) return undefined
    if (size === 0) return { body, length: next }
    body += text.slice(line + 2, next - 2)
    at = next
  }
}
