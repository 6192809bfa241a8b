import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
} from 'node:http2'

import type { Body, Line, Sent } from './line.ts'

class Http2Sent implements Sent {
  readonly statuses: number[] = []
  headers: Sent['headers'] = {}
  isOver = false
  finish: () => void = () => {}
  readonly stream: ClientHttp2Stream

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream
    stream.on('error', () => {})
    stream.on('response', headers => {
      this.statuses.push(Number(headers[':status']))
      this.headers = headers as Sent['headers']
    })
    stream.on('end', () => (this.isOver = true))
    stream.resume()
  }
}

/** A connection of HTTP/2. */
export class Http2Line implements Line {
  readonly stray = ''
  readonly #session: ClientHttp2Session
  isOpen = true

  constructor(port: number) {
    this.#session = connectHttp2(`http://127.0.0.1:${port}`)
    this.#session.on('error', () => {})
    this.#session.on('goaway', () => (this.isOpen = false))
    this.#session.on('close', () => (this.isOpen = false))
  }

  send(method: string, path: string, body?: Body): Sent {
    const stream = this.#session.request(
      { ':method': method, ':path': path },
      { endStream: body === undefined },
    )
    const sent = new Http2Sent(stream)
    if (body !== undefined) {
      stream.write(body.first)
      sent.finish = () => void stream.end(body.rest)
    }
    return sent
  }

  cancel(sent: Http2Sent): void {
    sent.stream.close(constants.NGHTTP2_CANCEL)
  }

  cut(): void {
    this.isOpen = false
    this.#session.destroy()
  }

  /** Tells the server to go away, and lets the requests that were sent end. */
  end(): void {
    this.isOpen = false
    this.#session.close()
  }
}
