// What handlers do with a request, told by its path.
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Handlers that wait until they are let go, by the number of their request. */
export class Gates {
  readonly #waiting = new Map<number, () => void>()

  wait(id: number): Promise<void> {
    return new Promise(resolve => void this.#waiting.set(id, resolve))
  }

  has(id: number): boolean {
    return this.#waiting.has(id)
  }

  letGo(id: number): void {
    const go = this.#waiting.get(id)
    this.#waiting.delete(id)
    go?.()
  }

  letAllGo(): void {
    for (const id of this.#waiting.keys()) this.letGo(id)
  }
}

/** `at once`: before anything is let go. `late`: once it is let go. `never`: it tears its connection instead. */
type Decides = 'at once' | 'late' | 'never'

export interface Act {
  readonly decides: Decides
  readonly reads: boolean
  run(response: ServerResponse, wait: () => Promise<void>, request: IncomingMessage): Promise<void>
}

async function read(request: AsyncIterable<unknown>): Promise<boolean> {
  try {
    for await (const _ of request);
    return true
  } catch {
    return false
  }
}

export const ACTS: Readonly<Record<string, Act>> = {
  quick: { decides: 'at once', reads: false, run: async response => void response.end('ok') },
  twice: {
    decides: 'at once',
    reads: false,
    async run(response) {
      response.end('ok')
      response.end()
      try {
        response.writeHead(500)
      } catch {}
    },
  },
  wait: {
    decides: 'late',
    reads: false,
    async run(response, wait) {
      await wait()
      response.end('late')
    },
  },
  fails: {
    decides: 'late',
    reads: false,
    async run(response, wait) {
      await wait()
      response.statusCode = 500
      response.end('no')
    },
  },
  stream: {
    decides: 'at once',
    reads: false,
    async run(response, wait, { method }) {
      const trailer = method === 'HEAD' ? {} : { trailer: 'x-end' }
      response.writeHead(200, { 'content-type': 'text/event-stream', ...trailer })
      response.write('data: 1\n\n')
      await wait()
      if (method !== 'HEAD') response.addTrailers({ 'x-end': 'yes' })
      response.end()
    },
  },
  flush: {
    decides: 'at once',
    reads: false,
    async run(response, wait) {
      response.flushHeaders()
      await wait()
      response.end('late')
    },
  },
  upload: {
    decides: 'late',
    reads: true,
    async run(response, wait, request) {
      if (!(await read(request))) return
      await wait()
      response.end('read')
    },
  },
  empty: {
    decides: 'late',
    reads: false,
    async run(response, wait) {
      await wait()
      response.writeHead(204).end()
    },
  },
  tears: {
    decides: 'never',
    reads: false,
    async run(response, wait, request) {
      await wait()
      // A response that waits behind others would do it when it is its turn.
      if (response.socket === null) request.socket.destroy()
      else response.destroy()
    },
  },
}
