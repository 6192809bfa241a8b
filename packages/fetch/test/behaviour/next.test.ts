// Builds the example of docs/fetch.md with Next.js, and asks it.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { bundle, withoutTypes } from '../../../../tools/bundle.ts'
import { examplesOfPage } from '../page.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const next = createRequire(import.meta.url).resolve('next/dist/bin/next')
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' } as const

const LAYOUT = `import { createElement } from 'react'
export default ({ children }) => createElement('html', null, createElement('body', null, children))
`
const PAGE = `export default () => 'the page'
`

let folder: string
let server: ChildProcess | undefined
let url: string

async function write(path: string, text: string): Promise<void> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

beforeAll(async () => {
  folder = await mkdtemp(fileURLToPath(new URL('.next-', import.meta.url)))
  for (const [path, code] of await examplesOfPage())
    if (/^(?:limits|proxy|app\/items\/.*)\.ts$/.test(path))
      await write(path.replace('.ts', '.js'), await withoutTypes(code))
  await write('app/layout.js', LAYOUT)
  await write('app/page.js', PAGE)
  await write('next.config.js', `module.exports = { turbopack: { root: ${JSON.stringify(root)} } }`)
  await write('package.json', '{}')
  await write('node_modules/@halt/fetch/package.json', '{ "type": "module", "main": "index.js" }')
  const halt = await bundle(new URL('../../src/index.ts', import.meta.url), 'es')
  await write('node_modules/@halt/fetch/index.js', halt)
  await promisify(execFile)(process.execPath, [next, 'build'], { cwd: folder, env })
  server = spawn(process.execPath, [next, 'start', '-p', '0', '-H', '127.0.0.1'], { cwd: folder, env })
  url = await new Promise<string>((resolve, reject) => {
    let printed = ''
    server?.stdout?.setEncoding('utf8').on('data', text => {
      printed += text
      const found = /Local:\s+(http:\S+)[\s\S]*Ready/.exec(printed)?.[1]
      if (found !== undefined) resolve(found)
    })
    server?.once('exit', () => reject(new Error(`next start ended: ${printed}`)))
  })
}, 180_000)

afterAll(async () => {
  server?.kill('SIGKILL')
  await rm(folder, { recursive: true })
})

const ask = (path: string, client: string): Promise<Response> =>
  fetch(url + path, { headers: { 'X-Vercel-Forwarded-For': client } })

const leftIn = ({ headers }: Response): string | null => headers.get('ratelimit-remaining')

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
