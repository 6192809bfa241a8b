import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'

import { servedBy } from './page.ts'

const url = servedBy('websockets')

const sockets: WebSocket[] = []
afterEach(async () => {
  const open = sockets.splice(0).filter(({ readyState }) => readyState !== WebSocket.CLOSED)
  await Promise.all(open.map(socket => new Promise(resolve => socket.once('close', resolve).terminate())))
})

function open(user: string): WebSocket {
  const socket = new WebSocket(url('websockets').replace('http', 'ws'), { headers: { 'X-User': user } })
  socket.on('error', () => {})
  sockets.push(socket)
  return socket
}

/** Waits for the status of the handshake. */
const handshake = (socket: WebSocket): Promise<number | undefined> =>
  new Promise(resolve => {
    socket.once('open', () => resolve(101))
    socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
  })

interface Answer {
  readonly echo?: string
  readonly error?: string
  readonly policy?: string
  readonly retryAfter?: number | null
}

/** Sends messages, and collects as many answers. */
async function talk(socket: WebSocket, texts: readonly string[]): Promise<Answer[]> {
  const answers: Answer[] = []
  socket.on('message', (data: Buffer) => answers.push(JSON.parse(data.toString()) as Answer))
  for (const text of texts) socket.send(text)
  await expect.poll(() => answers).toHaveLength(texts.length)
  return answers
}

describe('docs/recipes/websockets.md', () => {
  it('a third connection of an address is refused at its handshake, and admitted when one has closed', async () => {
    const [first, second] = [open('ann'), open('ann')]
    expect([await handshake(first), await handshake(second)]).toEqual([101, 101])
    expect(await handshake(open('ann'))).toBe(429)
    first.close()
    await expect.poll(() => handshake(open('ann'))).toBe(101)
  })

  it('a handshake that fails gives its place back', async () => {
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket' } // and no key
    for (let i = 0; i < 3; i++) {
      const [answer] = (await once(get(url('websockets'), { headers }), 'response')) as [IncomingMessage]
      expect(answer.statusCode).toBe(400)
      await once(answer.resume(), 'close')
    }
    await expect.poll(() => handshake(open('ann'))).toBe(101)
  })

  it('messages over the limit are answered with the wait, and the third closes the socket', async () => {
    const socket = open('ben')
    await handshake(socket)
    const closed = once(socket, 'close')
    const answers = await talk(
      socket,
      Array.from({ length: 8 }, (_, i) => `${i}`),
    )
    expect(answers.slice(0, 5).map(({ echo }) => echo)).toEqual(['0', '1', '2', '3', '4'])
    for (const { error, policy, retryAfter } of answers.slice(5)) {
      expect([error, policy]).toEqual(['slow_down', 'messages'])
      expect(retryAfter).toBeGreaterThan(0)
    }
    const [code, reason] = (await closed) as [number, Buffer]
    expect([code, reason.toString()]).toEqual([1008, 'too many messages'])
  })

  it('a message above maxPayload ends its connection, and not the server', async () => {
    const socket = open('dan')
    await handshake(socket)
    socket.send('x'.repeat(200_000))
    const [code] = (await once(socket, 'close')) as [number]
    expect(code).toBe(1009)
    expect(await handshake(open('dan'))).toBe(101)
  })

  it('bytes are counted beside messages, and a message that never fits has no wait', async () => {
    const socket = open('cid')
    await handshake(socket)
    const [passed, refused, never] = await talk(socket, [
      'x'.repeat(8000),
      'x'.repeat(8000),
      'x'.repeat(20_000),
    ])
    expect(passed?.echo).toHaveLength(8000)
    expect(refused).toMatchObject({ policy: 'bytes', retryAfter: expect.any(Number) })
    expect(never).toMatchObject({ policy: 'bytes', retryAfter: null })
  })
})
