// Asks the examples of docs/platforms/sveltekit.md. The full form builds and serves them with SvelteKit and its adapter for Node.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Handle, RequestEvent } from '@sveltejs/kit'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isWaitOf } from '../../../../tools/is-wait-of.ts'
import { isFull } from '../../../../tools/full.ts'
import { writeModules } from '../page.ts'
import type { Platform } from '../platform.ts'
import { makeProject } from '../project.ts'
import { leftIn } from '../scene.ts'

const PAGE = 'platforms/sveltekit.md'

let kit: Platform
beforeAll(async () => {
  kit = await (isFull ? built() : byHand())
})
afterAll(() => kit.end())

const FILES = {
  'src/app.html': '<!doctype html><head>%sveltekit.head%</head><body>%sveltekit.body%</body>',
  'src/routes/+page.svelte': 'the page',
  'src/routes/about/+page.svelte': 'about us',
  'src/routes/about/+page.js': 'export const prerender = true',
  'svelte.config.js': `import adapter from '@sveltejs/adapter-node'
export default { kit: { adapter: adapter({ precompress: false }) } }
`,
  'vite.config.js': `import { sveltekit } from '@sveltejs/kit/vite'
export default { plugins: [sveltekit()], logLevel: 'error' }
`,
  'package.json': '{ "type": "module" }',
  // A server on a free port.
  'server.js': `import { createServer } from 'node:http'
import { handler } from './build/handler.js'
const server = createServer(handler).listen(0, '127.0.0.1', () =>
  console.log('at http://127.0.0.1:' + server.address().port + ' ready'),
)
`,
}

async function built(): Promise<Platform> {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js')
  const project = await makeProject(PAGE, FILES)
  const printed = await project.run(vite, 'build')
  const url = await project.serve(/at (http:\S+) ready/, ['server.js'], { ADDRESS_HEADER: 'x-real-ip' })
  const ask = (path: string, client: string): Promise<Response> =>
    fetch(url + path, { headers: { 'X-Real-IP': client } })
  return { ask, printed, end: project.end }
}

/** Calls the modules with events as SvelteKit makes them. */
async function byHand(): Promise<Platform> {
  const folder = await writeModules(PAGE)
  const environment = join(folder, 'node_modules/$app/environment')
  await mkdir(environment, { recursive: true })
  await writeFile(join(environment, 'package.json'), '{ "type": "module", "main": "index.js" }')
  await writeFile(
    join(environment, 'index.js'),
    'export let building = true\nexport const serve = () => void (building = false)\n',
  )
  const { GET } = await import(/* @vite-ignore */ join(folder, 'src/routes/api/items/+server.ts'))
  const { handle }: { handle: Handle } = await import(/* @vite-ignore */ join(folder, 'src/hooks.server.ts'))
  const ask = async (path: string, getClientAddress: () => string): Promise<Response> => {
    const request = new Request(`https://shop.example${path}`)
    const event = { request, url: new URL(request.url), params: {}, route: { id: path }, getClientAddress }
    const resolve = async (own: RequestEvent): Promise<Response> => {
      if (path === '/api/items') return GET(own)
      return new Response(path === '/about' ? 'about us' : 'the page')
    }
    return handle({ event: event as unknown as RequestEvent, resolve })
  }
  let printed = ''
  const listen = (warning: Error): void => void (printed += `${warning.name} ${warning.message}`)
  process.on('warning', listen)
  const about = await ask('/about', () => {
    throw new Error('SvelteKit has no address while it builds.')
  })
  await new Promise(resolve => setImmediate(resolve))
  process.off('warning', listen)
  const { serve } = await import(/* @vite-ignore */ join(environment, 'index.js'))
  serve()
  return {
    ask: async (path, client) => (path === '/about' ? about : ask(path, () => client)),
    get printed() {
      return printed
    },
    end: () => rm(folder, { recursive: true }),
  }
}

it('an endpoint of SvelteKit is limited by address', async () => {
  const first = await kit.ask('/api/items', '203.0.113.7')
  expect([first.status, leftIn(first)]).toEqual([200, '1'])
  expect(leftIn(await kit.ask('/api/items', '203.0.113.7'))).toBe('0')
  const refused = await kit.ask('/api/items', '203.0.113.7')
  expect([refused.status, leftIn(refused)]).toEqual([429, '0'])
  expect(isWaitOf(30, refused.headers.get('retry-after'))).toBe(true)
  expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded' })
  expect((await kit.ask('/api/items', '203.0.113.8')).status).toBe(200)
})

it('a hook of SvelteKit limits all routes, and passes pages on', async () => {
  const found: [number, string | null, boolean][] = []
  for (let i = 0; i < 4; i++) {
    const response = await kit.ask('/', '203.0.113.9')
    found.push([response.status, leftIn(response), (await response.text()).includes('the page')])
  }
  expect(found).toEqual([
    [200, '2', true],
    [200, '1', true],
    [200, '0', true],
    [429, '0', false],
  ])
  expect((await kit.ask('/api/items', '203.0.113.9')).status).toBe(429)
})

it('a page that is prerendered is not counted', async () => {
  expect(kit.printed).not.toContain('HALT_W_')
  const about = await kit.ask('/about', '203.0.113.10')
  expect([leftIn(about), await about.text()]).toEqual([null, expect.stringContaining('about us')])
})
