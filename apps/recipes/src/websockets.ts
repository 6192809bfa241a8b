import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { createServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'

const store = new InMemoryStore()
const connections = new RateLimiter<IncomingMessage>({
  store,
  policy: { name: 'connections', limit: 2, algorithm: 'concurrency', ttl: '1d' },
  exemptPrivateIps: false,
})
const messages = new RateLimiter({
  store,
  policy: [
    { name: 'messages', limit: 5, window: '1h' },
    { name: 'bytes', limit: 10_000, window: '1h' },
  ],
})
const MOST_REFUSED = 3

/** Answers a message, and returns whether it was within the limits. */
async function answer(socket: WebSocket, user: string, data: RawData): Promise<boolean> {
  const text = (data as Buffer).toString() // ws gives buffers, unless you set its binaryType
  const cost = { messages: 1, bytes: Buffer.byteLength(text) }
  const { allowed, policy, retryAfter } = await messages.consume({ user }, { cost })
  // JSON has no Infinity, which is the wait for a message that is larger than the limit.
  const wait = Number.isFinite(retryAfter) ? retryAfter : null
  socket.send(JSON.stringify(allowed ? { echo: text } : { error: 'slow_down', policy, retryAfter: wait }))
  return allowed
}

const sockets = new WebSocketServer({ noServer: true, maxPayload: 100_000 })
sockets.on('connection', (socket: WebSocket, req: IncomingMessage) => {
  const user = req.headers['x-user']?.toString() ?? 'anonymous' // stands for your authentication
  socket.on('error', () => {}) // ws closes the socket itself; an error without a listener would end the process
  let refused = 0
  async function receive(data: RawData): Promise<void> {
    if (socket.readyState !== socket.OPEN) return
    if (await answer(socket, user, data)) return
    refused++
    if (refused === MOST_REFUSED) socket.close(1008, 'too many messages')
  }
  socket.on('message', data => void receive(data))
})

async function upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  socket.on('error', () => socket.destroy())
  const decision = await connections.check(req)
  if (!decision.allowed) {
    socket.end('HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    return
  }
  // The raw socket closes in each case: after a bad handshake, after a close frame, and when the client is gone.
  if (socket.destroyed) return connections.release(decision)
  socket.once('close', () => void connections.release(decision))
  sockets.handleUpgrade(req, socket, head, opened => sockets.emit('connection', opened, req))
}

const server = createServer()
server.on('upgrade', (req, socket, head) => void upgrade(req, socket, head))
server.listen(3000)
