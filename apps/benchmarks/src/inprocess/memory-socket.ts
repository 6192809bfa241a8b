import { Duplex } from 'node:stream'

type Done = (error?: Error | null) => void

interface Written {
  readonly chunk: string | Buffer
}

const OK = 'HTTP/1.1 200 OK\r\n'
const BODY = '{"ok":true}'
const REFUSED = 'HTTP/1.1 429 '

/** The server's end of a connection that has no kernel behind it: requests are pushed in, and answers are given to a callback. */
export class MemorySocket extends Duplex {
  readonly remoteAddress: string
  readonly remoteFamily = 'IPv4'
  readonly remotePort = 50_000
  readonly #mayRefuse: boolean
  readonly #onAnswer: (failure: string | undefined) => void
  #text = ''

  /**
   * @param mayRefuse whether a refusal is expected, too
   * @param onAnswer gets undefined for an expected answer, else its text
   */
  constructor(remoteAddress: string, mayRefuse: boolean, onAnswer: (failure: string | undefined) => void) {
    super({ decodeStrings: false })
    this.remoteAddress = remoteAddress
    this.#mayRefuse = mayRefuse
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
    const isRefused = this.#mayRefuse && this.#text.startsWith(REFUSED)
    const isRight = isRefused || this.#text.startsWith(OK)
    if (isRefused ? !isWhole(this.#text) : isRight && !text.endsWith(BODY)) return
    const failure = isRight ? undefined : this.#text
    this.#text = ''
    this.#onAnswer(failure)
  }
}

function isWhole(answer: string): boolean {
  const [head = '', body] = answer.split('\r\n\r\n')
  return body !== undefined && body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1])
}
