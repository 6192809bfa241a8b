// Asks the examples of docs/platforms/nextjs.md. The full form builds and serves them with Next.js.
import { rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NextRequest } from 'next/server.js'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { startRestBridge } from '../../../../tools/rest-bridge.ts'
import { startRedis } from '../../../../tools/servers.ts'
import { writeModules } from '../page.ts'
import type { Platform } from '../platform.ts'
import { makeProject } from '../project.ts'
import { leftIn } from '../scene.ts'

const PAGE = 'platforms/nextjs.md'
const HEADER = 'X-Vercel-Forwarded-For'

/** What the Redis store's own package has installed. */
const fromStore = createRequire(new URL('../../../store-redis/package.json', import.meta.url))

let next: Platform
let endRedis: () => Promise<void>
let bridge: Awaited<ReturnType<typeof startRestBridge>>
beforeAll(async () => {
  const redis = await startRedis()
  const { Redis } = fromStore('ioredis') as {
    Redis: new (url: string) => Parameters<typeof startRestBridge>[0] & { disconnect(): void }
  }
  const client = new Redis(redis.url)
  bridge = await startRestBridge(client)
  vi.stubEnv('UPSTASH_REDIS_REST_URL', bridge.url)
  vi.stubEnv('UPSTASH_REDIS_REST_TOKEN', bridge.token)
  endRedis = async () => {
    await bridge.stop()
    client.disconnect()
    await redis.stop()
  }
  next = await (isFull ? built() : byHand())
})
afterAll(async () => {
  // First, because there is no `next` after a build that failed.
  await endRedis()
  vi.unstubAllEnvs()
  await next.end()
})

async function built(): Promise<Platform> {
  const root = fileURLToPath(new URL('../../../..', import.meta.url))
  const program = createRequire(import.meta.url).resolve('next/dist/bin/next')
  const project = await makeProject(PAGE, {
    'app/layout.js': `import { createElement } from 'react'
export default ({ children }) => createElement('html', null, createElement('body', null, children))
`,
    'app/page.js': `export default () => 'the page'
`,
    'next.config.js': `module.exports = { turbopack: { root: ${JSON.stringify(root)} } }`,
    'package.json': '{}',
  })
  const printed = await project.run(program, 'build')
  const serve = [program, 'start', '-p', '0', '-H', '127.0.0.1']
  const url = await project.serve(/Local:\s+(http:\S+)[\s\S]*Ready/, serve)
  const ask = (path: string, client: string): Promise<Response> =>
    fetch(url + path, { headers: { [HEADER]: client } })
  return { ask, printed, end: project.end }
}

/** Calls the modules with the requests of Next.js. */
async function byHand(): Promise<Platform> {
  const folder = await writeModules(PAGE)
  const { GET } = await import(/* @vite-ignore */ join(folder, 'app/items/[id]/route.ts'))
  const { proxy } = await import(/* @vite-ignore */ join(folder, 'proxy.ts'))
  return {
    async ask(path, client) {
      const request = new NextRequest(`https://shop.example${path}`, { headers: { [HEADER]: client } })
      const id = /^\/items\/(\w+)$/.exec(path)?.[1]
      if (id !== undefined) return GET(request, { params: Promise.resolve({ id }) })
      const answer: Response = await proxy(request)
      // Next.js sends the page with the headers of this answer.
      return answer.headers.has('x-middleware-next') ? new Response('the page', answer) : answer
    },
    printed: '',
    end: () => rm(folder, { recursive: true }),
  }
}

it('a route handler of Next.js is limited by address', async () => {
  const first = await next.ask('/items/42', '203.0.113.7')
  expect(await first.json()).toEqual({ id: '42', path: '/items/42', left: 2 })
  expect(leftIn(first)).toBe('2')
  expect([
    leftIn(await next.ask('/items/1', '203.0.113.7')),
    leftIn(await next.ask('/items/2', '203.0.113.7')),
  ]).toEqual(['1', '0'])
  const refused = await next.ask('/items/42', '203.0.113.7')
  expect([refused.status, leftIn(refused)]).toEqual([429, '0'])
  expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded' })
  expect((await next.ask('/items/42', '203.0.113.8')).status).toBe(200)
  expect(bridge.commands).toContain('EVALSHA')
})

it('the proxy of Next.js limits pages, and passes their content on', async () => {
  const found: [number, string | null, boolean][] = []
  for (let i = 0; i < 3; i++) {
    const response = await next.ask('/', '203.0.113.9')
    found.push([response.status, leftIn(response), (await response.text()).includes('the page')])
  }
  expect(found).toEqual([
    [200, '1', true],
    [200, '0', true],
    [429, '0', false],
  ])
})
