// A client that resets its connection while earlier middleware works. Node then no longer knows its address.
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import express from 'express'
import { expect, it, onTestFinished } from 'vitest'

import { halt } from '../../src/index.ts'

it('a client that resets its connection gets no second allowance', async () => {
  const keys: (string | undefined)[] = []
  const entered: (() => void)[] = []
  const app = express()
  app.use((req, _res, next) => {
    entered.shift()?.()
    if (req.headers['x-reset'] === undefined) return next()
    req.socket.once('close', () => next())
  })
  app.use(halt({ policy: { name: 'tries', limit: 2, window: 60 }, exemptPrivateIps: false }))
  let isDone = (): void => {}
  app.use((req, res) => {
    keys.push(req.halt?.key)
    res.end()
  })
  app.use((_error: unknown, _req: unknown, res: express.Response, _next: unknown) => void res.end())
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.on('request', (_req, res) => void res.once('close', () => isDone()))

  const reset = async (): Promise<void> => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    const started = new Promise<void>(resolve => entered.push(resolve))
    const done = new Promise<void>(resolve => (isDone = resolve))
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Reset: 1\r\n\r\n')
    await started
    socket.resetAndDestroy()
    await done
    // The middleware goes on in a later turn of the event loop.
    await new Promise(resolve => setImmediate(resolve))
  }
  for (let i = 0; i < 4; i++) await reset()
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await fetch(`http://127.0.0.1:${port}/`)).status)
  expect(statuses).toEqual([200, 200, 429])
  expect(keys).toEqual(['ip:127.0.0.1', 'ip:127.0.0.1'])
})

it('a client that has reset its connection before its request is read gets no second allowance', async () => {
  const keys: (string | undefined)[] = []
  const app = express()
  app.use(halt({ policy: { name: 'early', limit: 2, window: 60 }, exemptPrivateIps: false }))
  app.use((req, res) => {
    keys.push(req.halt?.key)
    res.end()
  })
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (let i = 0; i < 4; i++) {
    const left = new Promise(resolve => server.once('connection', peer => peer.once('close', resolve)))
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    // Node answers the expectation before it hands the request over.
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n')
    socket.resetAndDestroy()
    await left
  }
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await fetch(`http://127.0.0.1:${port}/`)).status)
  expect(statuses).toEqual([200, 200, 429])
  expect(keys).toEqual(['ip:127.0.0.1', 'ip:127.0.0.1'])
})
