import { once } from 'node:events'
import { createServer as createHttp1Server, type ServerResponse } from 'node:http'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2ServerResponse,
} from 'node:http2'
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { onResponseEnd } from '../../src/http/index.ts'

/** A client that lets the server send nothing, one request of it, and what the server is told of the end of its response. */
async function asked(answer: (response: Http2ServerResponse) => void): Promise<{
  readonly session: ClientHttp2Session
  readonly stream: ClientHttp2Stream
  readonly ends: readonly boolean[]
}> {
  const ends: boolean[] = []
  const server = createServer((_request, response) => {
    onResponseEnd(response, isSent => void ends.push(isSent))
    answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    settings: { initialWindowSize: 0 },
  })
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  const stream = session.request({ ':path': '/' })
  await once(stream, 'response')
  return { session, stream, ends }
}

const MUCH = 'x'.repeat(300_000)

describe('a response over HTTP/2 whose client resets its stream without an error', () => {
  it('has ended unsent, although some of it waits for the client', async () => {
    const { stream, ends } = await asked(response => void response.write(MUCH))
    expect(ends).toEqual([])
    stream.close(constants.NGHTTP2_NO_ERROR)
    await expect.poll(() => ends).toEqual([false])
  })

  it('has ended when the client says farewell, if the application had ended it before', async () => {
    const { session, stream, ends } = await asked(response => void response.end(MUCH))
    stream.close(constants.NGHTTP2_NO_ERROR)
    session.goaway(constants.NGHTTP2_NO_ERROR)
    await expect.poll(() => ends).toEqual([false])
  })

  it('has not ended by a farewell alone, which lets running requests end', async () => {
    let end = (): void => {}
    const { session, stream, ends } = await asked(response => {
      response.write('x')
      end = () => void response.end()
    })
    session.goaway(constants.NGHTTP2_NO_ERROR)
    // The server answers it after it has read the farewell.
    await new Promise(resolve => session.ping(resolve))
    expect(ends).toEqual([])
    stream.close(constants.NGHTTP2_CANCEL)
    end()
    await expect.poll(() => ends).toHaveLength(1)
  })
})

describe('a pipelined response', () => {
  it('has ended unsent if it gets its connection after that has closed', async () => {
    const responses: ServerResponse[] = []
    const server = createHttp1Server((_request, response) => void responses.push(response))
    server.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const socket = connectSocket((server.address() as AddressInfo).port, '127.0.0.1')
    const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
    socket.write(request + request)
    await expect.poll(() => responses).toHaveLength(2)
    const [first, second] = responses as [ServerResponse, ServerResponse]
    const connection = first.socket as Socket
    socket.destroy()
    await once(first, 'close')
    // Node does so when it hears that the response before is written, and it may hear that after the connection has closed.
    first.detachSocket(connection)
    second.assignSocket(connection)
    const ends: boolean[] = []
    onResponseEnd(second, isSent => void ends.push(isSent))
    expect(ends).toEqual([false])
  })
})
