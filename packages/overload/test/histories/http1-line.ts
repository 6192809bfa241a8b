import { connect, type Socket } from 'node:net'

import type { Body, Line, Sent } from './line.ts'

class Http1Sent implements Sent {
  readonly statuses: number[] = []
  headers: Sent['headers'] = {}
  isOver = false
  readonly method: string
  finish: () => void = () => {}

  constructor(method: string) {
    this.method = method
  }
}

/** A connection of HTTP/1.1, on which requests are pipelined. */
export class Http1Line implements Line {
  readonly #socket: Socket
  readonly #sent: Http1Sent[] = []
  #read = Buffer.alloc(0)
  isOpen = true
  stray = ''

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => (this.isOpen = false))
    this.#socket.on('data', data => this.#take(data))
  }

  send(method: string, path: string, body?: Body): Sent {
    const sent = new Http1Sent(method)
    this.#sent.push(sent)
    const length = body === undefined ? '' : `content-length: ${body.first.length + body.rest.length}\r\n`
    this.#socket.write(`${method} ${path} HTTP/1.1\r\nhost: x\r\n${length}\r\n${body?.first ?? ''}`)
    if (body !== undefined) sent.finish = () => void this.#socket.write(body.rest)
    return sent
  }

  cancel(): void {
    this.cut()
  }

  cut(): void {
    this.isOpen = false
    this.#socket.destroy()
  }

  /** Sends no more, but listens. */
  end(): void {
    this.isOpen = false
    this.#socket.end()
  }

  #take(data: Buffer): void {
    this.#read = Buffer.concat([this.#read, data])
    while (this.#read.length > 0) {
      while (this.#sent[0]?.isOver === true) this.#sent.shift()
      const [sent] = this.#sent
      if (sent === undefined) {
        this.stray += this.#read.toString('latin1')
        this.#read = Buffer.alloc(0)
        return
      }
      const text = this.#read.toString('latin1')
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const [first, ...lines] = text.slice(0, headEnd).split('\r\n')
      const status = Number(first!.split(' ')[1])
      const headers = Object.fromEntries(
        lines.map(line => [
          line.slice(0, line.indexOf(':')).toLowerCase(),
          line.slice(line.indexOf(':') + 2),
        ]),
      )
      if (sent.statuses.length === 0) {
        sent.statuses.push(status)
        sent.headers = headers
      }
      const end = bodyEnd(text, headEnd + 4, sent.method, status, headers)
      if (end === undefined) return
      sent.isOver = true
      this.#read = this.#read.subarray(end)
    }
  }
}

/** Where a body ends. Undefined: not all of it has come. */
function bodyEnd(
  text: string,
  start: number,
  method: string,
  status: number,
  headers: Sent['headers'],
): number | undefined {
  if (method === 'HEAD' || status === 204 || status === 304) return start
  if (headers['transfer-encoding'] !== 'chunked') {
    const end = start + Number(headers['content-length'])
    return text.length >= end ? end : undefined
  }
  let at = start
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (size > 0) {
      at = lineEnd + 2 + size + 2
      continue
    }
    const end = text.indexOf('\r\n\r\n', lineEnd === at ? at : lineEnd)
    return end < 0 ? undefined : end + 4
  }
}
