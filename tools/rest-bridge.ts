// Starts a server that speaks Upstash's REST protocol, as its documentation describes it, and hands the commands to a real Redis.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A bridge from HTTP to a Redis. */
export interface RestBridge {
  readonly url: string
  readonly token: string
  /** The names of the commands that it was sent. */
  readonly commands: string[]
  stop(): Promise<void>
}

/** A client of a Redis, such as one of ioredis, that returns texts as bytes. */
interface Client {
  callBuffer(name: string, args: string[]): Promise<unknown>
}

type Command = readonly [name: string, ...args: string[]]

/** Starts a bridge on 127.0.0.1 to the Redis of this client. */
export async function startRestBridge(redis: Client): Promise<RestBridge> {
  const token = 'AYNgAS2553feg6a2d9842h2a0gcdb5f8efe9934DQ='
  const commands: string[] = []

  const answer = async (request: IncomingMessage): Promise<readonly [status: number, body: object]> => {
    if (request.method !== 'POST') return [405, { error: 'ERR method not allowed' }]
    if (request.headers.authorization !== `Bearer ${token}`)
      return [401, { error: 'WRONGPASS invalid or missing auth token' }]
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as Command | Command[]
    const isBase64 = request.headers['upstash-encoding'] === 'base64'
    if (request.url !== '/pipeline') {
      const found = await run(asked as Command, isBase64)
      return ['error' in found ? 400 : 200, found]
    }
    const found: object[] = []
    for (const command of asked as Command[]) found.push(await run(command, isBase64))
    return [200, found]
  }

  async function run(
    [name, ...args]: Command,
    isBase64: boolean,
  ): Promise<{ result: unknown } | { error: string }> {
    commands.push(name)
    try {
      return { result: encoded(await redis.callBuffer(name, args.map(String)), isBase64) }
    } catch (error) {
      return { error: (error as Error).message }
    }
  }

  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    commands,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function encoded(reply: unknown, isBase64: boolean): unknown {
  if (Array.isArray(reply)) return reply.map(entry => encoded(entry, isBase64))
  if (!Buffer.isBuffer(reply)) return reply
  const text = reply.toString()
  return isBase64 && text !== 'OK' ? reply.toString('base64') : text
}
