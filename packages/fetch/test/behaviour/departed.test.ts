// A client that resets its connection while an asynchronous option works. Node then no longer knows its address.
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'

import { decisionOf, halt } from '../../src/index.ts'
import { listen } from '../adapter.ts'
import { limitOf } from '../scene.ts'

it('a client that resets its connection gets no second allowance', async () => {
  const keys: (string | undefined)[] = []
  const waiting: (() => void)[] = []
  let departed = 0
  const limit = halt<Request, { incoming: { socket: NodeJS.EventEmitter } }>({
    policy: limitOf(2),
    clientIp: 'node',
    exemptPrivateIps: false,
    async skip(request, { incoming }) {
      if (request.headers.has('x-reset')) {
        const gone = new Promise(resolve => incoming.socket.once('close', resolve))
        waiting.shift()?.()
        await gone
        departed++
      }
      return false
    },
  })
  const handler = limit(request => {
    keys.push(decisionOf(request)?.key)
    return new Response('ok')
  })
  const { url, close } = await listen(handler as Parameters<typeof listen>[0])
  onTestFinished(close)
  for (let i = 0; i < 4; i++) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
    const entered = new Promise<void>(resolve => waiting.push(resolve))
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Reset: 1\r\n\r\n')
    await entered
    socket.resetAndDestroy()
  }
  await expect.poll(() => departed).toBe(4)
  await new Promise(resolve => setImmediate(resolve))
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await fetch(url)).status)
  // The departed requests were charged to the same address.
  expect(statuses).toEqual([429, 429, 429])
  expect(new Set(keys)).toEqual(new Set(['ip:127.0.0.1']))
})

it('a client that has reset its connection before its request is read gets no second allowance', async () => {
  const keys: (string | undefined)[] = []
  const limit = halt({ policy: limitOf(2), clientIp: 'node', exemptPrivateIps: false })
  const handler = limit(request => {
    keys.push(decisionOf(request)?.key)
    return new Response('ok')
  })
  const { url, close } = await listen(handler as Parameters<typeof listen>[0])
  onTestFinished(close)
  for (let i = 0; i < 4; i++) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.resetAndDestroy()
  }
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await fetch(url)).status)
  expect(statuses).toEqual([200, 200, 429])
  expect(keys).toEqual(['ip:127.0.0.1', 'ip:127.0.0.1'])
})
