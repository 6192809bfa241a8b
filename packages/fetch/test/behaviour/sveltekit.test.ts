// Builds the examples of docs/platforms/sveltekit.md with SvelteKit and its adapter for Node, and asks them.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { makeProject, type Project } from '../project.ts'
import { leftIn } from '../scene.ts'

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
const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js')

let project: Project
let url: string
let built: string

beforeAll(async () => {
  project = await makeProject('platforms/sveltekit.md', FILES)
  built = await project.run(vite, 'build')
  url = await project.serve(/at (http:\S+) ready/, ['server.js'], { ADDRESS_HEADER: 'x-real-ip' })
})

afterAll(() => project.end())

const ask = (path: string, client: string): Promise<Response> =>
  fetch(url + path, { headers: { 'X-Real-IP': client } })

it('an endpoint of SvelteKit is limited by address', async () => {
  const first = await ask('/api/items', '203.0.113.7')
  expect([first.status, leftIn(first)]).toEqual([200, '1'])
  expect(leftIn(await ask('/api/items', '203.0.113.7'))).toBe('0')
  const refused = await ask('/api/items', '203.0.113.7')
  expect([refused.status, leftIn(refused), refused.headers.get('retry-after')]).toEqual([429, '0', '30'])
  expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded' })
  expect((await ask('/api/items', '203.0.113.8')).status).toBe(200)
})

it('a hook of SvelteKit limits all routes, and passes pages on', async () => {
  const found: [number, string | null, boolean][] = []
  for (let i = 0; i < 4; i++) {
    const response = await ask('/', '203.0.113.9')
    found.push([response.status, leftIn(response), (await response.text()).includes('the page')])
  }
  expect(found).toEqual([
    [200, '2', true],
    [200, '1', true],
    [200, '0', true],
    [429, '0', false],
  ])
  expect((await ask('/api/items', '203.0.113.9')).status).toBe(429)
})

it('a page that is prerendered is not counted', async () => {
  expect(built).not.toContain('HALT_W_')
  expect(await (await ask('/about', '203.0.113.10')).text()).toContain('about us')
})
