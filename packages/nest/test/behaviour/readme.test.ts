import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { INestApplication, Type } from '@nestjs/common'
import { WsAdapter } from '@nestjs/platform-ws'
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { Test } from '@nestjs/testing'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'

import { statuses } from '../app.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const folder = fileURLToPath(new URL('../.readme-examples', import.meta.url))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Example {
  readonly AppModule: Type
}

/** The headings of the examples. */
const headings = [...readme.matchAll(/^#+ .*$|```ts$/gm)].flatMap(([line], i, lines) =>
  line === '```ts' ? [lines[i - 1]?.[0] ?? ''] : [],
)
let runs = 0

/** Imports the example after a heading, anew in each test. Only the imports of two packages are replaced, by those of their sources. */
async function exampleAfter(heading: string): Promise<Example> {
  const code = /```ts\n([\s\S]*?)```/.exec(readme.slice(readme.indexOf(`${heading}\n`)))?.[1] ?? ''
  mkdirSync(folder, { recursive: true })
  const file = `${folder}/${runs++}${heading.replaceAll(/\W+/g, '-')}.ts`
  const ours = code
    .replace("'@halt/nest'", "'../../src/index.ts'")
    .replace("'@halt/store-redis'", "'../../../store-redis/src/index.ts'")
  writeFileSync(file, ours)
  return (await import(/* @vite-ignore */ file)) as Example
}

interface Running {
  readonly url: string
  readonly app: INestApplication
}

async function start(heading: string): Promise<Running> {
  const { AppModule } = await exampleAfter(heading)
  const testing = await Test.createTestingModule({ imports: [AppModule] }).compile()
  const app = testing.createNestApplication({ logger: false })
  app.useWebSocketAdapter(new WsAdapter(app))
  onTestFinished(() => app.close())
  await app.listen(0, '127.0.0.1')
  return { url: await app.getUrl(), app }
}

const post = (body: unknown = {}): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
})
const json = async (url: string, init?: RequestInit): Promise<any> => (await fetch(url, init)).json()

describe('the README of @halt/nest', () => {
  it('the README begins with an example that limits localhost', async () => {
    const { url } = await start('# @halt/nest')
    expect(await statuses(`${url}/auth/login`, 4, post())).toEqual([201, 201, 201, 429])
    expect(await statuses(url, 3)).toEqual([200, 200, 429])
    expect(await statuses(`${url}/status`, 1)).toEqual([200])
    expect(readme).toContain((await (await fetch(url)).text()).replace(/\d+}$/, '12}'))
  })

  it('an app of the README has a different limit on one route', async () => {
    const { url } = await start('## A different limit on one route')
    expect(await statuses(`${url}/feed`, 21)).toEqual([...Array(20).fill(200), 429])
    expect(await statuses(`${url}/data`, 6)).toEqual([200, 200, 200, 200, 200, 429])
  })

  it('a login of the README counts only failures', async () => {
    // The example exempts local addresses, but not forwarded ones.
    const { url } = await start('## Login')
    const asked = (password: string): RequestInit => ({
      ...post({ password }),
      headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': '203.0.113.9' },
    })
    expect(await statuses(`${url}/auth/login`, 20, asked('correct horse'))).toEqual(Array(20).fill(200))
    expect(await statuses(`${url}/auth/login`, 11, asked('guess'))).toEqual([...Array(10).fill(401), 429])
  })

  it('an app of the README counts users by their plans', async () => {
    const { url } = await start('## Users and plans')
    const ann = { headers: { 'X-User': 'ann' } }
    expect(await json(`${url}/data`, ann)).toEqual({ key: 'user:ann', left: 119 })
    expect(await json(`${url}/data`, { headers: { 'X-User': 'bob' } })).toEqual({
      key: 'user:bob',
      left: 119,
    })
    expect(await json(`${url}/data`)).toEqual({ key: 'ip:127.0.0.1', left: 119 })
  })

  it('an app of the README counts in Redis', async () => {
    // A database that no other test uses.
    const database = `${inject('redisUrl')}/7`
    vi.stubEnv('REDIS_URL', database)
    const connections = vi.spyOn(Redis.prototype, 'connect')
    onTestFinished(() => {
      vi.unstubAllEnvs()
      for (const client of connections.mock.contexts as Redis[]) client.disconnect()
      connections.mockRestore()
    })
    const redis = new Redis(database)
    await redis.flushdb()
    const { url } = await start('## Redis and configuration')
    const { headers } = await fetch(`${url}/data`)
    expect(headers.get('ratelimit-limit')).toBe('100')
    // On a busy machine the process may decide the first ones by itself.
    const counted = async (): Promise<string[]> => {
      await fetch(`${url}/data`)
      return redis.keys('halt:{ip:127.0.0.1}:*')
    }
    await expect.poll(counted).toHaveLength(1)
  })

  it('an app of the README charges some calls more', async () => {
    const { url } = await start('## Calls that cost more')
    expect(await json(`${url}/report`)).toEqual({ left: 50 })
    expect(await json(`${url}/rows?count=20`)).toEqual({ count: '20', left: 30 })
    expect(await statuses(`${url}/rows?count=many`, 1)).toEqual([429])
  })

  it('an app of the README limits calls in flight', async () => {
    const { url } = await start('## Calls in flight')
    const both = await Promise.all([fetch(`${url}/export`), fetch(`${url}/export`)])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 429])
    expect(await statuses(`${url}/export`, 1)).toEqual([200])
  })

  it('a gateway of the README counts messages and connections', async () => {
    const { url } = await start('## A gateway')
    const connect = (): WebSocket => new WebSocket(url.replace('http', 'ws'))
    const socket = connect()
    onTestFinished(() => socket.terminate())
    const events: string[] = []
    socket.on('message', data => events.push(JSON.parse((data as Buffer).toString()).event))
    await new Promise(resolve => socket.once('open', resolve))
    for (let i = 0; i < 6; i++) socket.send('{"event":"say","data":"hi"}')
    await expect.poll(() => events.length).toBe(6)
    expect(events.filter(event => event === 'exception')).toHaveLength(1)
    connect()
    expect(await new Promise(resolve => connect().once('close', resolve))).toBe(1013)
  })

  it('a handler of the README decides by itself', async () => {
    const { url } = await start('## A limiter by hand')
    const rows = (count: number): RequestInit => post({ rows: Array(count).fill('row') })
    expect(await json(`${url}/import`, rows(600))).toEqual({ left: 400 })
    const refused = await fetch(`${url}/import`, rows(600))
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).not.toBeNull()
    expect(await refused.json()).toMatchObject({ title: 'Too Many Requests', 'violated-policies': ['rows'] })
  })

  it('a filter of the README answers refusals', async () => {
    const { url } = await start('## An answer of your own')
    await fetch(`${url}/data`)
    expect(await (await fetch(`${url}/data`)).text()).toBe('Come back in 60 s.')
  })

  it('a feature module of the README adds policies', async () => {
    const { url } = await start('## A feature module')
    expect(await statuses(`${url}/search`, 3)).toEqual([200, 200, 429])
  })

  it('an app of the README documents the refusal', async () => {
    const { app } = await start('## OpenAPI')
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build())
    expect(Object.keys(paths['/data']?.get?.responses ?? {})).toEqual(['200', '429'])
  })

  it('an app of the README believes a trusted proxy', async () => {
    const { url } = await start('## Behind a proxy')
    const headers = { 'X-Forwarded-For': '198.51.100.1, 203.0.113.9' }
    expect(await json(`${url}/data`, { headers })).toEqual({ key: 'ip:203.0.113.9' })
  })

  it('the README has an example below each of these headings, and no second one', () => {
    expect(new Set(headings).size).toBe(headings.length)
    expect(headings).not.toContain('```ts')
  })

  it.each(headings)('an application of the README starts and answers: %s', async heading => {
    vi.stubEnv('REDIS_URL', inject('redisUrl'))
    const clients = vi.spyOn(Redis.prototype, 'connect')
    onTestFinished(() => {
      vi.unstubAllEnvs()
      for (const client of clients.mock.contexts as Redis[]) client.disconnect()
      clients.mockRestore()
    })
    const { url } = await start(heading)
    expect((await fetch(`${url}/nowhere`)).status).toBe(404)
  })
})
