import { connect, type Socket } from 'node:net'

/** What became of the requests of a load. */
export interface Outcomes {
  readonly offered: number
  /** Answers with 200 in time. */
  readonly good: number
  /** Answers with another status. */
  readonly refused: number
  /** Late, without an answer, or without a free connection. */
  readonly failed: number
  /** The 99th percentile of the good ones' latency, in milliseconds. */
  readonly p99: number
}

const CONNECTIONS = 400
/** The client leaves after this time. */
const DEADLINE_MS = 1000
const REQUEST = 'GET / HTTP/1.1\r\nhost: bench\r\n\r\n'

interface Call {
  readonly came: number
  readonly timer: NodeJS.Timeout
}

/** Clients that ask by the clock, and not when they have an answer: Poisson arrivals over warm connections. */
export class OpenLoop {
  readonly #port: number
  readonly #idle: Socket[] = []
  readonly #calls = new Map<Socket, Call>()
  #isClosed = false
  #counted: { offered: number; refused: number; failed: number; latencies: number[] } | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** Opens the connections. */
  async open(): Promise<void> {
    for (let i = 0; i < CONNECTIONS; i++) this.#connect()
    while (this.#idle.length < CONNECTIONS) await new Promise(resolve => setTimeout(resolve, 5))
  }

  /** Asks at a rate for some time. Counts what was asked for after `settleMs`. */
  async load(perSecond: number, ms: number, settleMs = 0): Promise<Outcomes> {
    const counted = { offered: 0, refused: 0, failed: 0, latencies: [] as number[] }
    const start = performance.now()
    let next = start
    await new Promise<void>(resolve => {
      const tick = (): void => {
        const now = performance.now()
        while (next <= now && next < start + ms) {
          this.#counted = next - start >= settleMs ? counted : undefined
          this.#ask(next)
          next += (-Math.log(1 - Math.random()) * 1000) / perSecond
        }
        if (next < start + ms) setTimeout(tick, 1)
        else setTimeout(resolve, DEADLINE_MS + 50)
      }
      tick()
    })
    this.#counted = undefined
    const latencies = counted.latencies.toSorted((a, b) => a - b)
    const { offered, refused, failed } = counted
    const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN
    return { offered, good: latencies.length, refused, failed, p99 }
  }

  close(): void {
    this.#isClosed = true
    for (const socket of [...this.#idle, ...this.#calls.keys()]) socket.destroy()
  }

  #ask(came: number): void {
    const counted = this.#counted
    if (counted !== undefined) counted.offered++
    const socket = this.#idle.pop()
    if (socket === undefined) {
      if (counted !== undefined) counted.failed++
      return
    }
    const timer = setTimeout(() => {
      if (counted !== undefined) counted.failed++
      this.#calls.delete(socket)
      socket.destroy()
      this.#connect()
    }, DEADLINE_MS)
    this.#calls.set(socket, { came, timer })
    let text = ''
    socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)
      if (head < 0 || (length !== null && text.length < head + 4 + Number(length[1]))) return
      clearTimeout(timer)
      this.#calls.delete(socket)
      this.#idle.push(socket)
      if (counted === undefined) return
      if (text.slice(9, 12) === '200') counted.latencies.push(performance.now() - came)
      else counted.refused++
    })
    socket.write(REQUEST)
  }

  #connect(): void {
    const socket = connect({ port: this.#port, host: '127.0.0.1' })
    let isOpening = true
    socket.setNoDelay(true)
    socket.once('connect', () => {
      isOpening = false
      this.#idle.push(socket)
    })
    socket.once('close', () => {
      // A busy server may have refused it.
      if (isOpening) return this.#isClosed ? undefined : void setTimeout(() => this.#connect(), 20)
      const at = this.#idle.indexOf(socket)
      if (at < 0) return
      this.#idle.splice(at, 1)
      if (!this.#isClosed) this.#connect()
    })
    socket.on('error', () => socket.destroy())
  }
}
