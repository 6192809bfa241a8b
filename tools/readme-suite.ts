// The examples that the READMEs of the HTTP adapters share, run as they stand there.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'

import { exampleAfter, type Modules } from './example.ts'
import { freePort } from './free-port.mjs'
import { isWaitOf } from './is-wait-of.ts'
import { processScript } from './process-script.ts'
import { startRedis } from './servers.ts'

/** An adapter whose README is tested. */
export interface ReadmeUnderTest<App> {
  /** The name of its package, which is the heading of the README. */
  readonly name: string
  readonly readme: URL
  /** The modules that its examples import. */
  readonly modules: Modules
  /** The body of the example with an answer of its own. Default: a text. */
  readonly ownAnswer?: string
  /** Serves an app on a free port. */
  serve(app: App): Promise<{ readonly url: string; close(): Promise<void> }>
}

/** Asks a served example for a path. */
export type Ask = (path: string, init?: RequestInit) => Promise<Response>

/** A POST request with a JSON body. */
export function post(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
}

/** The statuses of several requests, one after another. */
export async function statuses(count: number, ask: () => Promise<Response>): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) found.push((await ask()).status)
  return found
}

/** Runs the examples that all READMEs have. Gives the function that serves the example after a heading until the test ends. */
export function readmeSuite<App>(adapter: ReadmeUnderTest<App>): (heading: string) => Promise<Ask> {
  const { name } = adapter
  const { modules } = adapter
  const readme = readFileSync(adapter.readme, 'utf8')

  // The tests choose the port.
  const silent = readme.replaceAll(/^(?:await )?app\.listen\(.*\)\n/gm, '')

  async function example(heading: string): Promise<Ask> {
    const { app } = await exampleAfter<App>(silent, `# ${heading}\n`, modules)
    const served = await adapter.serve(app)
    onTestFinished(() => served.close())
    return (path, init) => fetch(served.url + path, init)
  }

  describe(`the README of ${name}`, () => {
    it('the README begins with an app that listens, and limits localhost', async () => {
      const [first = ''] = /```ts\n[\s\S]*?```/.exec(readme) ?? []
      expect(first).toMatch(/^(?:(?:await )?app\.listen|serve)\(.*3000/m)
      const ask = await example(name)
      expect(await statuses(8, () => ask('/'))).toEqual([200, 200, 200, 200, 200, 429, 429, 429])
      const refused = await ask('/')
      const { 'retry-after': wait = '', ...headers } = Object.fromEntries(refused.headers)
      expect(headers).toMatchObject({
        'ratelimit-limit': '5',
        'ratelimit-remaining': '0',
        'cache-control': 'no-store',
        'content-type': 'application/json; charset=utf-8',
      })
      // 12 at once; the machine may be slow.
      expect(Number(wait)).toBeGreaterThan(6)
      expect(Number(wait)).toBeLessThanOrEqual(12)
      expect(readme).toContain((await refused.text()).replace(/\d+}$/, '12}'))
    })

    it('a login of the README counts only wrong passwords', async () => {
      const ask = await example('Login')
      const login = (password: string) => (): Promise<Response> => ask('/auth/login', post({ password }))
      expect(new Set(await statuses(20, login('correct horse')))).toEqual(new Set([200]))
      expect(await statuses(11, login('guess'))).toEqual([...Array<number>(10).fill(401), 429])
      expect(await statuses(1, login('correct horse'))).toEqual([429])
    })

    it('an app of the README finds the client behind a proxy', async () => {
      const ask = await example('Behind a proxy')
      const left = async (forwarded: string): Promise<string | null> =>
        (await ask('/', { headers: { 'X-Forwarded-For': forwarded } })).headers.get('ratelimit-remaining')
      expect(await left('203.0.113.1')).toBe('99')
      expect(await left('198.51.100.9, 203.0.113.1, 10.0.0.3')).toBe('98')
      expect(await left('203.0.113.2')).toBe('99')
    })

    it('two processes of the README share a limit in Redis, and end in good order', async () => {
      const code = /# Several processes\n[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
      const [ports, children] = await twoProcesses(code, adapter.readme)
      const ask = (i: number): Promise<Response> => fetch(`http://localhost:${ports[i % 2]}/`)
      const answers: (string | number | null)[][] = []
      for (let i = 0; i < 7; i++) {
        const { status, headers } = await ask(i)
        answers.push([status, headers.get('ratelimit-remaining')])
      }
      const admitted = ['4', '3', '2', '1', '0'].map(left => [200, left])
      expect(answers).toEqual([...admitted, [429, '0'], [429, '0']])

      for (const child of children) child.kill('SIGTERM')
      const ends = await Promise.all(children.map(ended))
      // The example of `@halt/fetch` leaves the end to the platform.
      const end = code.includes("process.on('SIGTERM'") ? 0 : 'SIGTERM'
      expect(ends).toEqual([end, end])
    })

    it('an app of the README counts users by their plan', async () => {
      const ask = await example('Users and plans')
      const data = async (user: string): Promise<unknown> =>
        (await ask('/data', { headers: { 'X-User': user } })).json()
      expect(await data('ann')).toEqual({ key: 'user:ann', left: 119 })
      expect(await data('ann')).toEqual({ key: 'user:ann', left: 118 })
      expect(await data('bob')).toEqual({ key: 'user:bob', left: 119 })
    })

    it('an app of the README charges an export more', async () => {
      const ask = await example('Requests that cost more')
      expect(await (await ask('/export')).json()).toEqual({ left: 50 })
      expect((await ask('/')).headers.get('ratelimit-remaining')).toBe('49')
    })

    it('an app of the README answers a refusal itself', async () => {
      const ask = await example('An answer of your own')
      await ask('/data')
      const refused = await ask('/data')
      const wait = refused.headers.get('retry-after') ?? ''
      expect([refused.status, isWaitOf(60, wait)]).toEqual([429, true])
      const answer = adapter.ownAnswer ?? 'Come back in 60 s.'
      expect(await refused.text()).toBe(answer.replace('60', wait))
    })

    it('a handler of the README decides by itself', async () => {
      const ask = await example('A handler that decides')
      const rows = (count: number): Promise<Response> =>
        ask('/import', post({ rows: Array<number>(count).fill(0) }))
      expect(await (await rows(600)).json()).toEqual({ left: 400 })
      const refused = await rows(600)
      expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'application/problem+json'])
    })
  })

  return example
}

const redisPackage = new URL('../packages/store-redis/package.json', import.meta.url)

/** The modules that only the package of the Redis store has installed. */
function redisModules(): Record<string, string> {
  const { resolve } = createRequire(redisPackage)
  return {
    '@halt/store-redis': fileURLToPath(new URL('src/index.ts', redisPackage)),
    ioredis: resolve('ioredis'),
    redis: resolve('redis'),
  }
}

/** Starts an example twice, as a reader would, with a Redis of its own. Resolves when both listen. */
async function twoProcesses(code: string, readme: URL): Promise<[ports: number[], children: ChildProcess[]]> {
  // Redis may get no processor for a while on a busy machine. Then a process would decide alone.
  const patient = code.replace('new RateLimiter({ ', "new RateLimiter({ storeTimeout: '20s', ")
  const script = await processScript(new URL('several-processes.mts', readme), {
    code: patient,
    modules: redisModules(),
  })
  onTestFinished(() => script.remove())
  const redis = await startRedis()
  onTestFinished(() => redis.stop())

  const ports = [await freePort(), await freePort()]
  const children = ports.map(port => {
    const env = { ...process.env, NODE_ENV: '', PORT: `${port}`, REDIS_URL: redis.url }
    const child = spawn(process.execPath, [script.path], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    return child
  })
  await expect.poll(() => Promise.all(ports.map(isOpen))).toEqual([true, true])
  return [ports, children]
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, 'localhost')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** The exit code of a process, or the signal that ended it. */
async function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? child.signalCode
}
