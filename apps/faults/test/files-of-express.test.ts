// In a process of its own, in which nobody else listens to decisions.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { halt } from '@halt/express'
import { InMemoryStore } from '@halt/store-memory'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { filesEntered } from '../../../tools/files-entered.ts'

// A budget that only falls. A line that raises it says for what.
const MOST = { admitted: 32, refused: 39 }

/** An address at which an app with the one-line shorthand answers. */
let url: (limit: number) => string
const servers: Server[] = []

beforeAll(async () => {
  const start = async (limit: number): Promise<string> => {
    const app = express().use(
      halt({
        policy: { name: 'api', limit, window: 3600 },
        store: new InMemoryStore(),
        exemptPrivateIps: false,
      }),
    )
    app.get('/', (_, response) => void response.send('hello'))
    const server = createServer(app).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }
  const urls = new Map([
    [1, await start(1)],
    [1000, await start(1000)],
  ])
  url = limit => urls.get(limit)!
})

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

const ask = async (limit: number): Promise<number> => {
  const response = await fetch(url(limit))
  await response.text()
  return response.status
}

describe('files', () => {
  it('an admitted request of Express enters few files', async () => {
    await ask(1000)
    const files = await filesEntered(async () => expect(await ask(1000)).toBe(200))
    expect(files).toContain('express/halt')
    expect(files.length, files.join('\n')).toBeLessThanOrEqual(MOST.admitted)
  })

  it('a refused request of Express enters few files', async () => {
    await ask(1)
    await ask(1)
    const files = await filesEntered(async () => expect(await ask(1)).toBe(429))
    expect(files.length, files.join('\n')).toBeLessThanOrEqual(MOST.refused)
  })
})
