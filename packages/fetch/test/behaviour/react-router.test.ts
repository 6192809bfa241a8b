// Runs the example of docs/platforms/react-router.md with the request handler of React Router, over a socket. The modules of a
// build are given by hand, because a build by Vite adds only the pages for browsers.
import { mkdtemp, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createRequestHandler, type ServerBuild } from 'react-router'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isWaitOf } from '../../../../tools/is-wait-of.ts'
import { listen } from '../adapter.ts'
import { writeExample } from '../page.ts'
import { leftIn } from '../scene.ts'

let folder: string
let served: Awaited<ReturnType<typeof listen>>
/** How often the loader of the example was called. */
let loads = 0

beforeAll(async () => {
  folder = await mkdtemp(fileURLToPath(new URL('.react-router-', import.meta.url)))
  const file = await writeExample(folder, 'platforms/react-router.md', 'app/routes/items.ts')
  const items = (await import(/* @vite-ignore */ file)) as { readonly loader: (given: unknown) => unknown }
  const loader = (given: unknown): unknown => (loads++, items.loader(given))
  const route = (id: string, path: string, module: object): object => ({ id, path, module })
  const build = {
    entry: { module: { default: () => new Response('a page') } },
    routes: {
      items: route('items', 'items/:id', { ...items, loader }),
      other: route('other', 'other', { loader: () => Response.json({}) }),
    },
    assets: { entry: { imports: [], module: '' }, routes: {}, url: '', version: '' },
    publicPath: '/',
    assetsBuildDirectory: '',
    future: { v8_middleware: true },
    ssr: true,
    isSpaMode: false,
    prerender: [],
    routeDiscovery: { mode: 'initial' },
  } as unknown as ServerBuild
  const handler = createRequestHandler(build, 'production')
  served = await listen(request => handler(request))
})
afterAll(async () => {
  await served.close()
  await rm(folder, { recursive: true })
})

const ask = (path: string, client: string): Promise<Response> =>
  fetch(served.url + path, { headers: { 'X-Nf-Client-Connection-Ip': client } })

it('a resource route of React Router is limited by address', async () => {
  const first = await ask('/items/7', '203.0.113.7')
  expect([await first.json(), leftIn(first)]).toEqual([{ id: '7' }, '1'])
  expect(leftIn(await ask('/items/7', '203.0.113.7'))).toBe('0')
  const refused = await ask('/items/7', '203.0.113.7')
  expect([refused.status, isWaitOf(30, refused.headers.get('retry-after'))]).toEqual([429, true])
  expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded' })
  expect((await ask('/items/7', '203.0.113.8')).status).toBe(200)
})

it('a middleware of React Router refuses before the loader', async () => {
  const before = loads
  for (let i = 0; i < 3; i++) await ask('/items/7', '203.0.113.9')
  expect(loads).toBe(before + 3)
  const refused = await ask('/items/7', '203.0.113.9')
  expect([refused.status, refused.headers.get('ratelimit-limit')]).toEqual([429, '3'])
  expect(loads).toBe(before + 3)
})

it('the middleware of a route of React Router does not limit other routes', async () => {
  expect((await ask('/other', '203.0.113.10')).headers.get('ratelimit-limit')).toBeNull()
})
