import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { register } from 'prom-client'
import { io as connect } from 'socket.io-client'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { differencesIn, examplesOf, forgetMetrics, runPageExample } from '../../../tools/example.ts'

// Runs every example of these pages. It must print its `// → …` lines, and its server must answer as the text says.

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url))
// The recipes that need a library of their own run in apps/recipes, which has a source file for each. apps/benchmarks runs the one
// that needs a Redis server, and the one that needs Nest's decorators. saas.test.ts runs the one of two files.
const sources = await readdir(fileURLToPath(new URL('../../recipes/src/', import.meta.url)))
const elsewhere = [
  'bullmq.md',
  'nest-throttler-storage.md',
  'saas.md',
  ...sources.map(name => name.replace(/ts$/, 'md')),
]
const recipes = (await readdir(join(docs, 'recipes'))).filter(name => !elsewhere.includes(name))
const pages = [
  'quotas',
  'budgets',
  'penalties',
  'headers',
  'support-desk',
  'telemetry',
  'incidents',
  'hierarchical-limits',
  'fair-shares',
  'privacy',
  'concepts',
  'waiting',
  'stability',
  'proxies',
  'troubleshooting',
  '../packages/cli/README',
  '../packages/client/README',
  '../packages/core/README',
  '../packages/control/README',
  '../packages/store-memory/README',
]
const files = [...recipes.map(name => `recipes/${name}`), ...pages.map(name => `${name}.md`)]

let folder: string
let api: Server
// Some examples count in the registry of the process.
beforeEach(() => forgetMetrics(register))
beforeAll(async () => {
  api = await startApi()
  process.env['WEBHOOK_SECRET'] = `whsec_${Buffer.alloc(32).toString('base64')}`
  // Beside the app, so that imports find its packages.
  folder = await mkdtemp(fileURLToPath(new URL('.recipes-', import.meta.url)))
})
afterAll(async () => {
  delete process.env['API_URL']
  delete process.env['WEBHOOK_SECRET']
  api.closeAllConnections()
  api.close()
  await rm(folder, { recursive: true })
})

/** The API that examples of outgoing calls use. It refuses the first call of each path but `/status`. */
async function startApi(): Promise<Server> {
  const attempts = new Map<string, number>()
  const server = createServer((req, res) => {
    const attempt = (attempts.get(req.url ?? '') ?? 0) + 1
    attempts.set(req.url ?? '', attempt)
    if (attempt === 1 && req.url !== '/status') return void res.writeHead(429, { 'Retry-After': '1' }).end()
    const message = { role: 'assistant', content: `hello, at attempt ${attempt}` }
    const answer = req.url?.startsWith('/v1/') === true ? { choices: [{ index: 0, message }] } : { attempt }
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.env['API_URL'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return server
}

for (const file of files) {
  const text = await readFile(join(docs, file), 'utf8')
  // redis-pages.test.ts of apps/benchmarks runs those that need a Redis server, with their limits; a test of the memory store those that
  // start processes.
  const examples = examplesOf(text).filter(
    code => !/^\/\/ limits\.ts|from 'ioredis'|from 'node:cluster'/.test(code),
  )

  describe(`docs/${file}`, () => {
    it('the page has an example', () => expect(examples.length).toBeGreaterThan(0))

    it.each(examples.map((code, i) => [i + 1, code] as const))(
      'example %i prints its lines, and its server answers as the page says',
      async (i, code) => {
        const name = `${basename(file, '.md')}-${i}`
        const { printed, urls, close } = await runPageExample(
          folder,
          `${file.replaceAll(/\W+/g, '-')}-${i}`,
          code,
        )
        expect(differencesIn(code, printed)).toEqual([])
        const visit = visits[name]
        expect(urls.length, 'a server is visited, and nothing else').toBe(visit === undefined ? 0 : 1)
        for (const url of urls) await visit?.(url)
        await close()
      },
    )
  })
}

const post = (url: string, body: object, user?: string): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(user !== undefined && { 'X-User': user }) },
    body: JSON.stringify(body),
  })

/** The answer of the endpoint that is paid by token. */
interface Completed {
  readonly text: string
  readonly granted: number
  readonly left: Record<string, number>
}

async function statuses(count: number, ask: () => Promise<Response>): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) found.push((await ask()).status)
  return found
}

/** The requests that the tests send to the examples' servers. */
const visits: Readonly<Record<string, (url: string) => Promise<void>>> = {
  async 'better-auth-1'(url) {
    const signIn = (address: string) => () =>
      fetch(`${url}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Real-IP': address },
        body: JSON.stringify({ email: 'ann@example.com', password: 'a wrong guess' }),
      })
    const ann = signIn('203.0.113.7')
    const together = await Promise.all(Array.from({ length: 7 }, ann))
    expect(together.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      401, 401, 401, 401, 401, 429, 429,
    ])
    const refusal = await ann()
    expect(refusal.status).toBe(429)
    const wait = Number(refusal.headers.get('x-retry-after'))
    expect(wait).toBeGreaterThan(0)
    // A sub-window of a tenth leaves as a whole.
    expect(wait).toBeLessThanOrEqual(66)
    expect(await statuses(1, signIn('203.0.113.8'))).toEqual([401])
    const session = () => fetch(`${url}/api/auth/get-session`, { headers: { 'X-Real-IP': '203.0.113.7' } })
    expect(await statuses(6, session)).toEqual([200, 200, 200, 200, 200, 200])
  },

  async 'concurrency-1'(url) {
    const all = await Promise.all([1, 2, 3].map(() => fetch(`${url}/report`)))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(2)
    expect(await statuses(1, () => fetch(`${url}/report`))).toEqual([200])
  },

  async 'llm-endpoint-1'(url) {
    const headers = (user: string): Record<string, string> => ({
      'Content-Type': 'application/json',
      'X-User': user,
      'X-Team': 'red',
    })
    const left = async (user: string): Promise<Record<string, number>> => {
      const answer = await fetch(`${url}/left`, { headers: headers(user) })
      return (await answer.json()) as Record<string, number>
    }
    const ask = (user: string, prompt: string, signal?: AbortSignal): Promise<Response> => {
      const body = JSON.stringify({ prompt })
      return fetch(`${url}/chat`, { method: 'POST', headers: headers(user), body, ...(signal && { signal }) })
    }
    const stream = await ask('ann', 'hello')
    // Two tokens of the prompt and a thousand of the answer are held while it runs.
    expect((await left('ann'))['llm_daily_spend']).toBe(5_000_000 - 15_006)
    expect(await stream.text()).toBe('token '.repeat(50))
    expect(await left('ann')).toMatchObject({
      team_month: 8_000_000_000 - 756,
      llm_daily_spend: 5_000_000 - 756,
    })
    const abort = new AbortController()
    const cut = await ask('ben', 'hello', abort.signal)
    await cut.body?.getReader().read()
    abort.abort()
    await vi.waitFor(async () =>
      expect((await left('ben'))['llm_daily_spend']).toBeGreaterThan(5_000_000 - 756),
    )
    expect((await left('ben'))['llm_daily_spend']).toBeLessThanOrEqual(5_000_000 - 21)
  },

  async 'llm-endpoint-2'(url) {
    const answer = await post(`${url}/complete`, { prompt: 'hello' }, 'ann')
    // The prompt and the answer cost two tokens each. All of the four thousand reserved tokens came back.
    const { text, granted, left } = (await answer.json()) as Completed
    expect([text, granted]).toEqual(['HELLO', 4002])
    expect(left).toMatchObject({ llm_requests: 59, llm_monthly_tokens: 4_999_996 })
    // A token comes back every three milliseconds.
    expect(left['llm_tokens']).toBeGreaterThanOrEqual(19_996)
    expect(left['llm_tokens']).toBeLessThanOrEqual(20_000)
    // 22 500 tokens and the answer exceed the limit of a minute.
    expect((await post(`${url}/complete`, { prompt: 'x'.repeat(90_000) }, 'ann')).status).toBe(413)
    // 19 000 tokens leave a thousand for the answer, which is as short as that.
    const large = { prompt: 'x'.repeat(76_000) }
    const short = (await (await post(`${url}/complete`, large, 'ben')).json()) as Completed
    expect([short.granted, short.text.length]).toEqual([20_000, 4000])
    const refused = await post(`${url}/complete`, large, 'ben')
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true])
  },

  async 'model-gateway-1'(url) {
    const ask = (service: string) => () =>
      fetch(`${url}/complete`, { method: 'POST', headers: { 'X-Service': service } })
    const admitted = async (count: number, service: string): Promise<number> =>
      (await statuses(count, ask(service))).filter(status => status === 200).length
    expect(await admitted(60, 'batch')).toBe(50)
    expect(await admitted(40, 'search')).toBe(30)
    const refused = await ask('batch')()
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(30 * 30)
    expect(await admitted(10, 'chat')).toBe(10)
    expect(await admitted(1, 'search')).toBe(0)
  },

  async 'per-plan-limits-1'(url) {
    const ask = (key: string) => () => fetch(url, { headers: { 'X-API-Key': key } })
    expect(await (await ask('key-of-bob')()).json()).toEqual({ plan: 'pro', left: 9 })
    expect(await statuses(5, ask('key-of-ann'))).toEqual([200, 200, 200, 429, 429])
    for (const unknown of [await fetch(url), await ask('invented')()])
      expect([unknown.status, await unknown.json()]).toEqual([401, { error: 'unknown_api_key' }])
  },

  async 'webhooks-out-1'(url) {
    expect((await fetch(`${url}/hook`, { method: 'POST' })).status).toBe(200)
  },

  async 'socket-io-1'(url) {
    const socket = connect(url, { auth: { user: 'ann' }, transports: ['websocket'] })
    const said: string[] = []
    socket.on('said', (text: string) => said.push(text))
    type Answer = { ok?: true; retryAfterMs?: number }
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => (await socket.emitWithAck('say', `${i}`)) as Answer),
    )
    const passed = answers.flatMap(({ ok }, i) => (ok === true ? [`${i}`] : []))
    // Five at once and three that wait; more if they come slowly.
    expect(passed.length).toBeGreaterThanOrEqual(8)
    expect(said).toEqual(passed)
    const refused = answers.filter(({ ok }) => ok !== true)
    expect(refused.length).toBeGreaterThan(0)
    // More than the 300 ms that a caller waits, less what a busy process has let it wait already.
    for (const { retryAfterMs } of refused) expect(retryAfterMs).toBeGreaterThan(0)
    socket.disconnect()
  },

  async 'login-protection-1'(url) {
    const login = (email: string, password: string) => () => post(`${url}/login`, { email, password })
    expect(await statuses(3, login('ann@example.com', 'correct horse'))).toEqual([200, 200, 200])
    expect(await statuses(6, login('ann@example.com', 'guess'))).toEqual([401, 401, 401, 401, 401, 429])
    expect(await statuses(1, login(' Ann@Example.com', 'correct horse'))).toEqual([429])
    expect(await statuses(1, login('ben@example.com', 'correct horse'))).toEqual([200])
  },
}
