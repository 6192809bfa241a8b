// Requests that hold a place and use nothing of the process.
import { createServer as createHttp2Server, connect as connectHttp2 } from 'node:http2'
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'

import { serve, shedderOf, skippingLoop, type TestServer, until, Waiting } from './pinned.ts'

let server: TestServer | undefined
const waiting = new Waiting()
const sockets: Socket[] = []

afterEach(async () => {
  waiting.letGo()
  for (const socket of sockets.splice(0)) socket.destroy()
  await server?.close()
  server = undefined
})

/** A server whose handler reads the body first. `/work` waits then. */
async function scene(limit = 2) {
  const { loop, skip } = skippingLoop()
  const shedder = shedderOf(limit, {}, loop)
  let reading = 0
  server = await serve(
    shedder.wrap(async (request, response) => {
      reading++
      try {
        for await (const _ of request);
      } catch {
        return
      }
      if (request.url === '/work') await waiting.wait()
      response.end('done')
    }),
  )
  const { port, get } = server
  const upload = (path = '/work'): Socket => {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf `)
    return socket
  }
  return { shedder, skip, get, upload, reading: () => reading }
}

describe('a client that sends its body slowly', () => {
  it('a client that sends its body slowly gives its place up where others need it', async () => {
    const { shedder, skip, get, upload, reading } = await scene()
    upload()
    upload()
    await until(() => reading() === 2)
    expect((await get()).status).toBe(503)
    skip(200)
    for (let i = 0; i < 5; i++) expect((await get()).status).toBe(200)
    await until(() => shedder.state.inFlight === 0)
  })

  it('a client has its place again once its body is there, and frees it once', async () => {
    const { shedder, skip, get, upload, reading } = await scene()
    const all = [upload(), upload()]
    await until(() => reading() === 2)
    skip(200)
    expect((await get()).status).toBe(200)
    await until(() => shedder.state.inFlight === 0)
    for (const socket of all) socket.write('whole')
    await until(() => waiting.count === 2)
    expect(shedder.state.inFlight).toBe(2)
    expect((await get()).status).toBe(503)
    skip(200)
    expect((await get()).status).toBe(503)
    waiting.letGo()
    await until(() => shedder.state.inFlight === 0)
    expect((await get()).status).toBe(200)
  })

  it('a client that leaves while it sends holds no place, whether it had given it up or not', async () => {
    const { shedder, skip, get, upload, reading } = await scene()
    const [first, second] = [upload(), upload()]
    await until(() => reading() === 2)
    skip(200)
    expect((await get()).status).toBe(200)
    const third = upload()
    await until(() => reading() === 4)
    await until(() => shedder.state.inFlight === 1)
    for (const socket of [first, second, third]) socket.destroy()
    await until(() => shedder.state.inFlight === 0)
  })

  it('a client that leaves before its body is there tells nothing about how long requests take', async () => {
    const { shedder, skip, get, upload, reading } = await scene()
    const post = (): Promise<Response> => get('/quick', { method: 'POST', body: 'whole' })
    await post()
    // The window ends, so that it is known how long the route takes.
    skip(1100)
    await post()
    const socket = upload('/quick')
    await until(() => reading() === 3)
    skip(5000)
    socket.destroy()
    await until(() => shedder.state.inFlight === 0)
    // A window lasts at most five seconds.
    skip(5000)
    await post()
    // The one that left was inside for five seconds. The others take what the machine takes.
    expect(shedder.state.insideMs).toBeLessThan(1000)
  })

  it('a client that sends slowly over HTTP/2 keeps its place until others need it', async () => {
    const { loop, skip } = skippingLoop()
    const shedder = shedderOf(1, {}, loop)
    const http2 = createHttp2Server()
    let reading = 0
    http2.on(
      'request',
      shedder.wrap(async (request: AsyncIterable<unknown>, response: { end(text: string): void }) => {
        reading++
        for await (const _ of request);
        response.end('done')
      }),
    )
    http2.listen(0, '127.0.0.1')
    await once(http2, 'listening')
    const client = connectHttp2(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`)
    const ask = async (): Promise<unknown> => {
      const [headers] = (await once(client.request({ ':path': '/' }).resume(), 'response')) as [
        { ':status': number },
      ]
      return headers[':status']
    }
    const slow = client.request({ ':path': '/', ':method': 'POST' }).resume()
    slow.write('half')
    await until(() => reading === 1)
    expect(await ask()).toBe(503)
    skip(200)
    expect(await ask()).toBe(200)
    slow.end('whole')
    await once(slow, 'end')
    await until(() => shedder.state.inFlight === 0)
    client.close()
    await new Promise(resolve => http2.close(resolve))
  })
})

describe('a handler that never answers', () => {
  it('a handler that never answers gives its place up after ten seconds where others need it', async () => {
    const { shedder, skip, get } = await scene()
    const hung = [get('/work'), get('/work')]
    await until(() => waiting.count === 2)
    skip(9000)
    expect((await get()).status).toBe(503)
    skip(1000)
    for (let i = 0; i < 3; i++) expect((await get()).status).toBe(200)
    await until(() => shedder.state.inFlight === 0)
    waiting.letGo()
    for (const { status } of await Promise.all(hung)) expect(status).toBe(200)
    expect(shedder.state.inFlight).toBe(0)
  })

  it('a handler that never answers keeps its place while there are others', async () => {
    const { shedder, skip, get } = await scene(3)
    void get('/work')
    await until(() => waiting.count === 1)
    skip(60_000)
    expect((await get()).status).toBe(200)
    expect(shedder.state.inFlight).toBe(1)
  })
})
