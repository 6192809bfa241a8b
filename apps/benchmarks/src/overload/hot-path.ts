import { loadShedder } from '@halt/overload'

/** CPU time of the shedder alone, in nanoseconds a request. */
export interface HotPath {
  readonly admit: number
  readonly refuse: number
}

const PER_TURN = 16
const PATH = '/api/items/123?full=1'

/** The part of Node's response that a shedder uses. */
class Response {
  statusCode = 200
  readonly headersSent = false
  readonly socket = {}
  readonly stream = undefined
  #closed: (() => void) | undefined

  on(_event: 'close', listener: () => void): this {
    this.#closed = listener
    return this
  }

  writeHead(status: number): this {
    this.statusCode = status
    return this
  }

  end(): this {
    return this.writeHead(this.statusCode)
  }

  close(): void {
    this.#closed?.call(this)
  }
}

type Listener = (request: object, response: Response) => void

/** Measures a loop without sockets: requests in turns of 16, with the shedder and without. */
export async function hotPath(requests: number): Promise<HotPath> {
  const plain: Listener = (_request, response) => void response.end()
  const admitting = loadShedder().wrap(plain) as unknown as Listener
  const full = loadShedder({ min: 1, max: 1 })
  const refusing = full.wrap(() => undefined) as unknown as Listener
  refusing({ method: 'GET', url: PATH, rawHeaders: [] }, new Response())
  const least = {
    plain: Number.POSITIVE_INFINITY,
    admit: Number.POSITIVE_INFINITY,
    refuse: Number.POSITIVE_INFINITY,
  }
  for (let round = 0; round < 5; round++) {
    least.plain = Math.min(least.plain, await cost(plain, requests))
    least.admit = Math.min(least.admit, await cost(admitting, requests))
    least.refuse = Math.min(least.refuse, await cost(refusing, requests))
  }
  return { admit: least.admit - least.plain, refuse: least.refuse - least.plain }
}

async function cost(listener: Listener, requests: number): Promise<number> {
  const before = process.cpuUsage()
  for (let done = 0; done < requests; done += PER_TURN) {
    for (let i = 0; i < PER_TURN; i++) {
      const response = new Response()
      listener({ method: 'GET', url: PATH, rawHeaders: [] }, response)
      response.close()
    }
    await new Promise(resolve => setImmediate(resolve))
  }
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / requests
}
