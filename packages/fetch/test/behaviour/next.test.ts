// Builds the examples of docs/platforms/nextjs.md with Next.js, and asks them.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { makeProject, type Project } from '../project.ts'
import { leftIn } from '../scene.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const next = createRequire(import.meta.url).resolve('next/dist/bin/next')

const FILES = {
  'app/layout.js': `import { createElement } from 'react'
export default ({ children }) => createElement('html', null, createElement('body', null, children))
`,
  'app/page.js': `export default () => 'the page'
`,
  'next.config.js': `module.exports = { turbopack: { root: ${JSON.stringify(root)} } }`,
  'package.json': '{}',
}

let project: Project
let url: string

beforeAll(async () => {
  project = await makeProject('platforms/nextjs.md', FILES)
  await project.run(next, 'build')
  const serve = [next, 'start', '-p', '0', '-H', '127.0.0.1']
  url = await project.serve(/Local:\s+(http:\S+)[\s\S]*Ready/, serve)
})

afterAll(() => project.end())

const ask = (path: string, client: string): Promise<Response> =>
  fetch(url + path, { headers: { 'X-Vercel-Forwarded-For': client } })

it('a route handler of Next.js is limited by address', async () => {
  const first = await ask('/items/42', '203.0.113.7')
  expect(await first.json()).toEqual({ id: '42', path: '/items/42', left: 2 })
  expect(leftIn(first)).toBe('2')
  expect([
    leftIn(await ask('/items/1', '203.0.113.7')),
    leftIn(await ask('/items/2', '203.0.113.7')),
  ]).toEqual(['1', '0'])
  const refused = await ask('/items/42', '203.0.113.7')
  expect([refused.status, leftIn(refused)]).toEqual([429, '0'])
  expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded' })
  expect((await ask('/items/42', '203.0.113.8')).status).toBe(200)
})

it('the proxy of Next.js limits pages, and passes their content on', async () => {
  const answers = [1, 2, 3].map(() => () => ask('/', '203.0.113.9'))
  const found: [number, string | null, boolean][] = []
  for (const answer of answers) {
    const response = await answer()
    found.push([response.status, leftIn(response), (await response.text()).includes('the page')])
  }
  expect(found).toEqual([
    [200, '1', true],
    [200, '0', true],
    [429, '0', false],
  ])
})
