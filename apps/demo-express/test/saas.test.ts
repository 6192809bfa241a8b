// Runs the program of docs/recipes/saas.md as three processes on one Redis: two on Express and one on Fastify, and its command line.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { run as halt } from '@halt/cli'
import { afterAll, afterEach, beforeAll, expect, inject, it, vi } from 'vitest'

import { examplesOf } from '../../../tools/example.ts'
import { freePort } from '../../../tools/free-port.mjs'
import { type ProcessScript, processScript } from '../../../tools/process-script.ts'
import { unique } from '../../../tools/unique.ts'

const page = await readFile(new URL('../../../docs/recipes/saas.md', import.meta.url), 'utf8')
const files = examplesOf(page).flatMap(code => {
  const name = /^\/\/ ([\w-]+\.ts)\n/.exec(code)?.[1]
  return name === undefined ? [] : [{ name, code }]
})
const SOON = { timeout: 60_000, interval: 50 }
const MONTH = 10

let folder: string
const scripts: ProcessScript[] = []
/** The programs of the page, with a small month, counters of the test, and patience with a store on a busy machine. */
beforeAll(async () => {
  folder = await mkdtemp(fileURLToPath(new URL('.saas-', import.meta.url)))
  for (const { name, code } of files) {
    const changed = code
      .replace("limits('free', 60, 200, 1_000)", `limits('free', 60, 200, ${MONTH})`)
      .replace("prefix: 'shop:'", 'prefix: process.env.PREFIX!')
      .replace('exemptPrivateIps: false }', "exemptPrivateIps: false, storeTimeout: '30s' }")
    if (/limits|shop/.test(name) && changed === code) throw new Error(`The test changes nothing in ${name}.`)
    await writeFile(join(folder, name), changed)
  }
  const fastify = createRequire(new URL('../../demo-fastify/package.json', import.meta.url))
  const modules = {
    '@halt/fastify': fileURLToPath(new URL('../../../packages/fastify/src/index.ts', import.meta.url)),
    fastify: fastify.resolve('fastify'),
  }
  for (const name of ['express.ts', 'fastify.ts']) {
    const path = join(folder, name)
    scripts.push(await processScript(pathToFileURL(path), { code: await readFile(path, 'utf8'), modules }))
  }
})
afterAll(async () => {
  await Promise.all(scripts.map(script => script.remove()))
  await rm(folder, { recursive: true })
})

interface Running {
  readonly url: string
  readonly child: ChildProcess
}
const running: Running[] = []
let mails: string[]
let prefix: string
afterEach(async () => void (await end('SIGKILL')))

/** Starts the three processes, with counters of their own. */
async function start(): Promise<void> {
  mails = []
  prefix = `${unique()}:`
  const [express, fastify] = scripts
  for (const script of [express, express, fastify]) {
    const port = await freePort()
    const env = {
      ...process.env,
      NODE_ENV: '',
      PORT: `${port}`,
      REDIS_URL: inject('redisUrl'),
      PREFIX: prefix,
    }
    const child = spawn(process.execPath, [script!.path], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.on('data', text => mails.push(...String(text).trim().split('\n')))
    running.push({ url: `http://localhost:${port}`, child })
  }
  for (let i = 0; i < 3; i++)
    await vi.waitFor(async () => {
      if (!(await ask(i, '/v1/usage')).ok) throw new Error('The process does not answer.')
    }, SOON)
}

/** Ends the processes. Gives their exit codes. */
function end(signal: NodeJS.Signals): Promise<(number | null)[]> {
  return Promise.all(
    running.splice(0).map(async ({ child }) => {
      child.kill(signal)
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      return child.exitCode
    }),
  )
}

/** Asks one of the processes: 0 and 1 run on Express, 2 on Fastify. */
function ask(process: number, path: string, key = 'key-of-ann', sent: RequestInit = {}): Promise<Response> {
  const headers = { 'X-API-Key': key, ...(sent.headers as Record<string, string>) }
  return fetch(`${running[process]?.url}${path}`, { ...sent, headers })
}
function post(process: number, path: string, body: object, headers = {}): Promise<Response> {
  return ask(process, path, 'key-of-ann', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}
function desk(process: number, name: string, body: object): Promise<Response> {
  const authorization = `Basic ${btoa('sue:secret')}`
  return post(process, `/desk/api/${name}`, body, { authorization, 'x-halt-operator': '1' })
}
async function statuses(count: number, key?: string): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) found.push((await ask(i % 3, '/v1/quotes', key)).status)
  return found
}
interface Limits {
  readonly limits: readonly { readonly policy: string; readonly limit: number; readonly remaining: number }[]
}
/** What the customer's page shows of the month. */
async function month(process: number, key?: string): Promise<string> {
  const { limits } = (await (await ask(process, '/v1/usage', key)).json()) as Limits
  return limits
    .filter(({ policy }) => policy.endsWith('_month'))
    .map(({ policy, limit, remaining }) => `${policy} ${remaining} of ${limit}`)
    .join()
}
async function shell(line: string): Promise<{ readonly code: number; readonly printed: string }> {
  const printed: string[] = []
  const stream = new Writable({ write: (text, _, done) => (printed.push(String(text)), done()) })
  const code = await halt([...line.split(' '), '--prefix', prefix], {
    stdin: Readable.from([]),
    stdout: stream,
    stderr: stream,
    cwd: folder,
    env: { HALT_REDIS_URL: inject('redisUrl') },
    require: createRequire(import.meta.url),
  })
  return { code, printed: printed.join('') }
}

it('the program of the page has less than 120 lines on each framework', () => {
  const lines = (name: string): number =>
    files.find(file => file.name === name)?.code.match(/\n/g)?.length ?? 120
  for (const framework of ['express.ts', 'fastify.ts'])
    expect(lines('limits.ts') + lines('shop.ts') + lines(framework)).toBeLessThan(120)
})

it('three processes count the users of a company together, and refuse unknown keys', async () => {
  await start()
  expect(await statuses(3)).toEqual([200, 200, 200])
  expect(await statuses(3, 'key-of-ben')).toEqual([200, 200, 200])
  for (const process of [0, 1, 2]) {
    expect(await month(process)).toBe('free_month 4 of 10')
    expect((await ask(process, '/v1/quotes', 'stolen')).status).toBe(401)
  }
  expect(await month(2, 'key-of-cleo')).toBe('free_month 10 of 10')
})

it('three processes admit the burst of one user, say why they refuse, and a colleague goes on', async () => {
  await start()
  const all = await Promise.all(Array.from({ length: 9 }, (_, i) => ask(i % 3, '/v1/quotes')))
  const refused = all.filter(({ status }) => status === 429)
  // One more comes back in each second.
  expect(refused.length).toBeGreaterThan(1)
  expect(await refused[0]?.json()).toMatchObject({ reason: 'limited', policy: 'free_user', limit: 60 })
  expect(await statuses(1, 'key-of-ben')).toEqual([200])
})

/** Uses up the month of acme. */
async function useMonth(): Promise<void> {
  expect(await statuses(5, 'key-of-ann')).toEqual(Array(5).fill(200))
  expect(await statuses(5, 'key-of-ben')).toEqual(Array(5).fill(200))
  const refused = await Promise.all(
    [0, 1, 2].map(async i => (await ask(i, '/v1/quotes', 'key-of-ben')).json()),
  )
  const used = { reason: 'quota-exceeded', policy: 'free_month' }
  expect(refused).toMatchObject([used, used, used])
}

it('a mail goes out once at 80 and at 100 %, and the usage page splits a used month by user', async () => {
  await start()
  await useMonth()
  await expect
    .poll(() => mails, SOON)
    .toEqual([
      'to custom:acme: 80 % of the month: 8 of 10 calls',
      'to custom:acme: 100 % of the month: 10 of 10 calls',
    ])
  for (const process of [1, 2])
    await expect
      .poll(async () => (await ask(process, '/v1/usage/users')).json(), SOON)
      .toMatchObject([
        {
          users: expect.arrayContaining([
            { key: 'user:ann', units: 5 },
            { key: 'user:ben', units: 5 },
          ]),
        },
      ])
})

it('a company that has just paid has the larger plan in all processes, and keeps the used units', async () => {
  await start()
  await useMonth()
  expect(await (await post(2, '/paid', { company: 'acme', plan: 'pro' })).json()).toEqual({ plan: 'pro' })
  for (const process of [0, 1, 2])
    await expect.poll(() => month(process), SOON).toBe('pro_month 99990 of 100000')
  expect(await statuses(9)).toEqual(Array(9).fill(200))
  await post(0, '/paid', { company: 'acme', plan: 'enterprise' })
  for (const process of [0, 1, 2])
    await expect.poll(() => month(process), SOON).toBe('enterprise_month 9999981 of 10000000')
})

it('support sees the company and its users by name at the desks, and grants more at the command line', async () => {
  await start()
  await useMonth()
  for (const process of [0, 2]) {
    expect((await ask(process, '/desk/')).status).toBe(401)
    await expect
      .poll(async () => (await desk(process, 'find', { whom: { custom: 'acme' } })).text(), SOON)
      .toContain('user:ben')
  }
  await expect
    .poll(() => shell('find custom:acme --users --plan free --policy limits.ts'), SOON)
    .toMatchObject({ code: 1, printed: expect.stringMatching(/user:ann[^]*free_month.*0 of 10 left/) })
  const granted = await shell('grant custom:acme free_month 100 --policy limits.ts --reason outage')
  expect(granted).toMatchObject({ code: 0 })
  expect(await month(1)).toBe('free_month 100 of 110')
})

it('the three processes end in good order, and the calls by user that they have counted are in the store', async () => {
  await start()
  expect(await statuses(3)).toEqual([200, 200, 200])
  expect(await end('SIGTERM')).toEqual([0, 0, 0])
  const seen = await shell('find custom:acme --users --plan free --policy limits.ts')
  expect(seen.printed).toMatch(/user:ann +3$/m)
})
