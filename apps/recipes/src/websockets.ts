import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { createServer, type IncomingMessage } from 'node:http'
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
  const text = data.toString()
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
  let refused = 0
  socket.on('message', async data => {
    if (socket.readyState !== socket.OPEN) return
    if (await answer(socket, user, data)) return
    refused++
    if (refused === MOST_REFUSED) socket.close(1008, 'too many messages')
  })
})

const server = createServer()
server.on('upgrade', async (req, socket, head) => {
  socket.on('error', () => socket.destroy())
  const decision = await connections.check(req)
  if (!decision.allowed)
    return socket.end('HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  // The raw socket closes in each case: after a bad handshake, after a close frame, and when the client is gone.
  if (socket.destroyed) return connections.release(decision)
  socket.once('close', () => void connections.release(decision))
  sockets.handleUpgrade(req, socket, head, opened => sockets.emit('connection', opened, req))
})
server.listen(3000)
