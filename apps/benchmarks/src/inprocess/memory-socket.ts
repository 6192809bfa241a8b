import { Duplex } from 'node:stream'

type Done = (error?: Error | null) => void

interface Written {
  readonly chunk: string | Buffer
}

const OK = 'HTTP/1.1 200 OK\r\n'
const BODY = '{"ok":true}'

/** The server's end of a connection that has no kernel behind it: requests are pushed in, and answers are given to a callback. */
export class MemorySocket extends Duplex {
  readonly remoteAddress: string
  readonly remoteFamily = 'IPv4'
  readonly remotePort = 50_000
  readonly #onAnswer: (failure: string | undefined) => void
  #text = ''

  /** @param onAnswer gets undefined for the expected answer, else its text */
  constructor(remoteAddress: string, onAnswer: (failure: string | undefined) => void) {
    super({ decodeStrings: false })
    this.remoteAddress = remoteAddress
    this.#onAnswer = onAnswer
  }

  override _read(): void {
    // Requests come by `push`.
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#take(chunk)
    done()
  }

  override _writev(chunks: readonly Written[], done: Done): void {
    for (const { chunk } of chunks) this.#take(chunk)
    done()
  }

  // The methods of a `net.Socket` that Node's server calls.
  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  // Head and body come in one piece or in two, and Node adds an empty one. A wrong status fails at once, because such an
  // answer may never end with the body.
  #take(chunk: string | Buffer): void {
    const text = typeof chunk === 'string' ? chunk : chunk.toString('latin1')
    if (text === '') return
    this.#text = this.#text === '' ? text : this.#text + text
    const isRight = this.#text.startsWith(OK)
    if (isRight && !text.endsWith(BODY)) return
    const failure = isRight ? undefined : this.#text
    this.#text = ''
    this.#onAnswer(failure)
  }
}
