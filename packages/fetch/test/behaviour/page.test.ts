// Runs the examples of docs/fetch.md. That of Next.js has a test of its own.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type H3, serve } from 'h3'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { examplesOfPage } from '../page.ts'

type Handler = (...given: unknown[]) => Promise<Response>

let folder: string
let examples: ReadonlyMap<string, string>
beforeAll(async () => {
  folder = await mkdtemp(fileURLToPath(new URL('.page-', import.meta.url)))
  examples = await examplesOfPage()
})
afterAll(() => rm(folder, { recursive: true }))

/** Loads the example of a path. Types of frameworks vanish when it is loaded. */
async function load<T>(path: string): Promise<T> {
  const code = examples.get(path)
  if (code === undefined) throw new Error(`docs/fetch.md has no example for ${path}.`)
  const source = fileURLToPath(new URL('../../src/index.ts', import.meta.url))
  const file = join(folder, `${path.replaceAll(/\W+/g, '-')}.ts`)
  await writeFile(file, code.replace("'@halt/fetch'", JSON.stringify(source)))
  return import(/* @vite-ignore */ file) as Promise<T>
}

/** The statuses of three requests, which are one more than the examples allow. */
async function statuses(ask: () => Promise<Response>): Promise<number[]> {
  return [await ask(), await ask(), await ask()].map(({ status }) => status)
}

const request = (headers: Record<string, string> = {}): Request =>
  new Request('https://api.example/items/7', { headers })

describe('docs/fetch.md', () => {
  it('limits an endpoint of SvelteKit', async () => {
    const { GET } = await load<{ GET: Handler }>('src/routes/api/items/+server.ts')
    const ask = (address: string) => () =>
      GET({ request: request(), params: { id: '7' }, getClientAddress: () => address })
    expect(await (await ask('203.0.113.9')()).json()).toEqual({ id: '7' })
    expect(await statuses(ask('203.0.113.7'))).toEqual([200, 200, 429])
    expect(await statuses(ask('203.0.113.8'))).toEqual([200, 200, 429])
  })

  it('limits all routes of SvelteKit', async () => {
    const { handle } = await load<{ handle: Handler }>('src/hooks.server.ts')
    const event = { request: request(), getClientAddress: () => '203.0.113.7' }
    const ask = () =>
      handle({ event: { ...event, request: request() }, resolve: async () => new Response('page') })
    const first = await ask()
    expect([await first.text(), first.headers.get('ratelimit-remaining')]).toEqual(['page', '1'])
    expect((await statuses(ask)).at(-1)).toBe(429)
  })

  it('limits a resource route and a middleware of React Router', async () => {
    const { loader, middleware } = await load<{ loader: Handler; middleware: Handler[] }>(
      'app/routes/items.ts',
    )
    const fromNetlify = { 'X-Nf-Client-Connection-Ip': '203.0.113.7' }
    const args = () => ({ request: request(fromNetlify), params: { id: '7' }, context: {} })
    expect(await (await loader(args())).json()).toEqual({ id: '7' })
    const both = (): Promise<Response> => {
      const given = args()
      return middleware[0]!(given, () => loader(given))
    }
    const answers = [await both(), await both()]
    // The loader has one request left, and the middleware three.
    expect(answers.map(({ status }) => status)).toEqual([200, 429])
    expect(answers.map(({ headers }) => headers.get('ratelimit-limit'))).toEqual(['2', '2'])
  })

  it('limits a handler of h3 on Node, by the address of the socket', async () => {
    const { default: app } = await load<{ default: H3 }>('server.ts')
    const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true })
    onTestFinished(() => server.close(true))
    await server.ready()
    const url = new URL('/items/7', server.url)
    const first = await fetch(url)
    expect([await first.json(), first.headers.get('ratelimit-remaining')]).toEqual([{ left: 1 }, '1'])
    expect(await statuses(() => fetch(url))).toEqual([200, 429, 429])
  })

  it('limits a handler of Bun', async () => {
    const { fetch: handler } = await served('Bun', 'bun.ts')
    const server = { requestIP: () => ({ address: '203.0.113.7', family: 'IPv4', port: 1 }) }
    expect(await (await handler(request(), server)).text()).toBe('/items/7 object')
    expect((await statuses(() => handler(request(), server))).at(-1)).toBe(429)
  })

  it('limits a handler of Deno', async () => {
    const handler = (await served('Deno', 'deno.ts')) as unknown as Handler
    const info = { remoteAddr: { transport: 'tcp', hostname: '203.0.113.7', port: 1 } }
    expect(await statuses(() => handler(request(), info))).toEqual([200, 200, 429])
  })

  it('limits a Worker', async () => {
    const { default: worker } = await load<{ default: { fetch: Handler } }>('worker.ts')
    const ask = () => worker.fetch(request({ 'CF-Connecting-IP': '203.0.113.7' }), { GREETING: 'hello' }, {})
    expect(await (await ask()).text()).toBe('hello')
    expect(await statuses(ask)).toEqual([200, 429, 429])
  })
})

/** Loads an example of a runtime that this process is not, and gives the argument of `serve`. */
async function served(runtime: 'Bun' | 'Deno', path: string): Promise<{ fetch: Handler }> {
  let given: unknown
  Object.assign(globalThis, { [runtime]: { serve: (options: unknown) => (given = options) } })
  try {
    await load(path)
  } finally {
    delete (globalThis as Record<string, unknown>)[runtime]
  }
  return given as { fetch: Handler }
}
