// Runs the examples of docs/platforms that need no build. SvelteKit, React Router and Next.js have test files of their own.
import { mkdtemp, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type H3, serve } from 'h3'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'

import { readFromBun, readFromDeno } from '../../../../tools/other-runtimes.ts'
import { writeExample } from '../page.ts'
import { leftIn } from '../scene.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(fileURLToPath(new URL('.page-', import.meta.url)))
})
afterAll(() => rm(folder, { recursive: true }))

it('the handler of docs/platforms/nitro.md is limited in h3 on Node, by the address of the socket', async () => {
  const file = await writeExample(folder, 'platforms/nitro.md', 'server.ts')
  const { default: app } = (await import(/* @vite-ignore */ file)) as { default: H3 }
  const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true })
  onTestFinished(() => server.close(true))
  await server.ready()
  const ask = (): Promise<Response> => fetch(new URL('/items/7', server.url))
  const first = await ask()
  expect([await first.json(), leftIn(first)]).toEqual([{ left: 1 }, '1'])
  expect([(await ask()).status, (await ask()).status]).toEqual([200, 429])
})

const script = new URL('../runtimes/ask-page.ts', import.meta.url)
const answers = (text: string): object[] => [
  { status: 200, left: '1', text },
  { status: 200, left: '0', text },
  { status: 429, left: '0', text: expect.stringContaining('rate_limit_exceeded') },
]

it('the handler of docs/platforms/bun.md is limited in Bun', async () => {
  const EXAMPLE = await writeExample(folder, 'platforms/bun.md', 'bun.ts')
  expect(await readFromBun(script, { EXAMPLE })).toEqual(answers('/items/7 object'))
})

it('the handler of docs/platforms/deno.md is limited in Deno', async () => {
  const EXAMPLE = await writeExample(folder, 'platforms/deno.md', 'deno.ts')
  expect(await readFromDeno(script, { EXAMPLE })).toEqual(answers('hello'))
})
