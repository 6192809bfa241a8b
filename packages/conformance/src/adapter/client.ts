import type {
  AdapterUnderTest,
  Call,
  Http2Options,
  Http2Session,
  RawSocket,
  Served,
  Setup,
} from './contract.ts'
import { Connection, type RawReply, rawRequest } from './raw-client.ts'

/** A server under test, and a client that sends requests to it. */
export class Client {
  /** The requests that reached a handler, in order. */
  readonly calls: Call[] = []
  readonly #adapter: AdapterUnderTest
  readonly #setup: Setup
  #served: Served | undefined
  #failure: Error | undefined

  constructor(adapter: AdapterUnderTest, setup: Setup) {
    this.#adapter = adapter
    const handle: Setup['handle'] = call => {
      this.calls.push(call)
      return setup.handle(call)
    }
    this.#setup = { ...setup, handle }
  }

  /** The error of the first request that got no response. */
  get failure(): Error | undefined {
    return this.#failure
  }

  async open(): Promise<void> {
    this.#served = await this.#adapter.serve(this.#setup)
  }

  async close(): Promise<void> {
    await this.#served?.close()
  }

  async send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<RawReply> {
    try {
      return await (this.#adapter.keepsTooLong === true
        ? this.#sendAlone(method, path, headers, body)
        : this.#fetch(method, path, headers, body))
    } catch (error) {
      this.#failure ??= error as Error
      throw error
    }
  }

  get(path = '/hello', headers: Record<string, string> = {}): Promise<RawReply> {
    return this.send('GET', path, headers)
  }

  post(path: string, headers: Record<string, string> = {}, body = '{}'): Promise<RawReply> {
    return this.send('POST', path, headers, body)
  }

  /** Sends equal requests one after the other. Resolves to their statuses. */
  async statuses(count: number, path = '/hello', headers: Record<string, string> = {}): Promise<number[]> {
    const statuses: number[] = []
    for (let i = 0; i < count; i++) statuses.push((await this.get(path, headers)).status)
    return statuses
  }

  /** Opens a connection of its own, for requests that are sent as they are written. */
  connect(): Connection {
    return new Connection(this.#socket())
  }

  /** Opens a connection of its own, from which nothing is read. */
  connectDeaf(): RawSocket {
    const socket = this.#socket()
    socket.on('error', () => {})
    return socket
  }

  /** Opens an HTTP/2 connection. */
  connect2(options?: Http2Options): Http2Session {
    const session = this.#adapter.http2?.(this.#url, options)
    if (session === undefined) throw new Error(`${this.#adapter.name} serves no HTTP/2`)
    return session
  }

  async #fetch(
    method: string,
    path: string,
    sent: Record<string, string>,
    text: string | undefined,
  ): Promise<RawReply> {
    const request = { method, headers: sent, ...(text === undefined ? {} : { body: text }) }
    const response = await fetch(this.#url + path, request)
    const { status, headers } = response
    return { status, headers: Object.fromEntries(headers), body: await response.text() }
  }

  async #sendAlone(...[method, path, headers, body]: Parameters<typeof rawRequest>): Promise<RawReply> {
    const connection = this.connect()
    connection.send(rawRequest(method, path, headers, body))
    try {
      return await connection.receive(method)
    } finally {
      connection.abort()
    }
  }

  #socket(): RawSocket {
    const { hostname, port } = new URL(this.#url)
    return this.#adapter.connect(Number(port), hostname)
  }

  get #url(): string {
    if (this.#served === undefined) throw new Error('The server is not open')
    return this.#served.url
  }
}
