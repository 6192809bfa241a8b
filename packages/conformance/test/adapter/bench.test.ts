import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { ReferenceStore } from '@halt/core/testing'
import { describe, expect, it } from 'vitest'

import { Bench } from '../../src/adapter/bench.ts'
import type { AdapterUnderTest, StoreUnderTest } from '../../src/index.ts'

const memory: StoreUnderTest = { name: 'memory', make: ({ now }) => new ReferenceStore(now) }

/** Serves `hello`, which closes the connection of each POST without an answer. */
const closing = (keepsTooLong: boolean): AdapterUnderTest => ({
  name: 'closing',
  keepsTooLong,
  connect,
  header: () => undefined,
  status: () => 200,
  answer: () => undefined,
  async serve() {
    const server = createServer((request, response) => {
      if (request.method === 'POST') request.socket.destroy()
      else response.setHeader('Content-Length', 5).end('hello')
    })
    await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, close: async () => server.close().closeAllConnections() }
  },
})

describe.each([
  ['a kept connection', false, /fetch failed/],
  ['a connection of its own', true, /closed the connection/],
])('a request of the suite on %s', (_, keepsTooLong, error) => {
  const run = (test: (bench: Bench) => Promise<void>): Promise<void> =>
    Bench.run(closing(keepsTooLong), memory, test)

  it('a request that gets no response ends the wait for its effect', () =>
    run(async bench => {
      const client = await bench.serve([])
      const answer = client.post('/login').catch(() => 'lost')
      await expect(bench.eventually('the handler', () => client.calls.length === 1)).rejects.toThrow(error)
      expect(await answer).toBe('lost')
    }))

  it('a request gets its response: to GET with a body, to HEAD without one', () =>
    run(async bench => {
      const client = await bench.serve([])
      expect(await client.get()).toMatchObject({ status: 200, body: 'hello' })
      expect(await client.send('HEAD', '/hello')).toMatchObject({ status: 200, body: '' })
    }))
})
