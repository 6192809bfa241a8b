import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'
import { afterAll, describe, inject, vi } from 'vitest'

import { butSlow } from '../../../../tools/but-slow.ts'
import { unique } from '../../../../tools/unique.ts'
import { startRestBridge } from '../../../../tools/rest-bridge.ts'
import { RedisStore, upstash } from '../../src/index.ts'
import { failure, freshKey, it, type Scene, script } from './scene.ts'

const redis = new Redis(inject('redisUrl'))
const bridge = await startRestBridge(redis)
afterAll(async () => {
  await bridge.stop()
  await redis.quit()
})
const run = upstash(bridge.url, bridge.token)

/** A service that answers everything in one way. Resolves to its address. */
async function serviceThat(scene: Scene, answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  scene.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answers =
  (status: number, body: string, type = 'application/json') =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { 'content-type': type, location: 'http://127.0.0.1:1/' }).end(body)

const PAGE = '<!doctype html><title>secret-page</title>'

describe('upstash', () => {
  it('upstash sends a script by its digest, and by its text once if the server does not know it', async ({
    expect,
  }) => {
    const unknown = script(`return { KEYS[1], ARGV[1], 7 } -- ${freshKey()}`)
    bridge.commands.length = 0
    expect(await run(unknown, ['k'], ['a'])).toEqual(['k', 'a', 7])
    expect(await run(unknown, ['k'], ['a'])).toEqual(['k', 'a', 7])
    expect(bridge.commands).toEqual(['EVALSHA', 'EVAL', 'EVALSHA'])
  })

  it('upstash returns every kind of reply as Redis gave it, bytes included', async ({ expect }) => {
    const echo = script(
      'return { ARGV[1], string.char(255, 0, 200), redis.status_reply("OK"), false, 2^53, { "" } }',
    )
    const text = 'Übung \u0000 🙂 "\\ \uFEFF'
    expect(await run(echo, [], [text])).toEqual([text, Uint8Array.of(255, 0, 200), 'OK', null, 2 ** 53, ['']])
  })

  it('upstash hands the error of a script on, with its first word', async ({ expect }) => {
    const broken = script('return redis.error_reply("OOM command not allowed")')
    expect(await failure(run(broken, [], []))).toMatchObject({ code: 'HALT_E_STORE_OOM', reply: 'OOM' })
  })

  it('upstash names the token if the service refuses it', async ({ expect }) => {
    const refused = await failure(upstash(bridge.url, 'another-token')(script('return 1'), [], []))
    expect(refused).toMatchObject({ failure: 'misconfigured', code: 'HALT_E_STORE_AUTH', reply: 'WRONGPASS' })
    expect(refused.fix).toContain('token')
    expect(JSON.stringify(refused) + refused.message).not.toContain('another-token')
  })

  it.for([
    [200, PAGE, 'text/html', 'HALT_E_STORE_MISCONFIGURED'],
    [404, PAGE, 'text/html; charset=utf-8', 'HALT_E_STORE_MISCONFIGURED'],
    [302, '', 'text/html', 'HALT_E_STORE_MISCONFIGURED'],
    [401, PAGE, 'text/html', 'HALT_E_STORE_AUTH'],
    [403, PAGE, 'text/html', 'HALT_E_STORE_AUTH'],
    [401, '{"error":"Unauthorized"}', 'application/json', 'HALT_E_STORE_AUTH'],
    [429, '', 'text/plain', 'HALT_E_STORE_UNAVAILABLE'],
    [500, PAGE, 'text/html', 'HALT_E_STORE_UNAVAILABLE'],
    [500, '{"error":"internal"}', 'application/json', 'HALT_E_STORE_UNAVAILABLE'],
    [400, '{"error":"command is not allowed here"}', 'application/json', 'HALT_E_STORE_MISCONFIGURED'],
    [
      400,
      '{"error":"ERR max daily request limit exceeded. Limit: 10000, Usage: 10000."}',
      'application/json',
      'HALT_E_STORE_UNAVAILABLE',
    ],
    [400, '{"error":"NOPERM this user has no permissions"}', 'application/json', 'HALT_E_STORE_PERMISSION'],
    [200, '{"status":"up"}', 'application/json', 'HALT_E_STORE_MISCONFIGURED'],
    [200, '[1]', 'application/json', 'HALT_E_STORE_MISCONFIGURED'],
    [200, '{"result":"not base64!"}', 'application/json', 'HALT_E_STORE_SCRIPT'],
  ] as const)(
    'upstash turns an answer %i %s of %s into %s',
    async ([status, body, type, code], { scene, expect }) => {
      const url = await serviceThat(scene, answers(status, body, type))
      const error = await failure(upstash(url, 'token')(script('return 1'), [], []))
      expect(error).toMatchObject({ name: 'StoreError', code, fix: expect.stringMatching(/\.$/) })
      expect(error.message).not.toContain('secret-page')
    },
  )

  it('upstash tells why a service cannot be reached', async ({ scene, expect }) => {
    const url = await serviceThat(scene, response => response.destroy())
    const lost = await failure(upstash(url, 'token')(script('return 1'), [], []))
    expect(lost).toMatchObject({ failure: 'unavailable', code: 'HALT_E_STORE_UNAVAILABLE' })
    const gone = await failure(upstash('http://127.0.0.1:1', 'token')(script('return 1'), [], []))
    expect(gone.message).toMatch(/ECONNREFUSED|bad port/)
  })

  it('upstash ends a call of a service that hangs', async ({ scene, expect }) => {
    const end = new AbortController()
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(end.signal)
    scene.defer(() => vi.restoreAllMocks())
    const url = await serviceThat(scene, () => end.abort())
    const late = await failure(upstash(url, 'token')(script('return 1'), [], []))
    expect(late).toMatchObject({ failure: 'timeout', code: 'HALT_E_STORE_TIMEOUT' })
  })

  it.for([{}, { 'content-length': 1e12 }])(
    'upstash cuts off an answer that does not end, with the headers %j',
    async (headers, { scene, expect }) => {
      let sent = 0
      let hasEnded = (): void => {}
      const ended = new Promise<void>(resolve => (hasEnded = resolve))
      const url = await serviceThat(scene, response => {
        const chunk = Buffer.alloc(65_536, ' ')
        const pour = (): void => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length
        }
        response.on('close', hasEnded).on('error', () => {})
        response.writeHead(200, { 'content-type': 'application/json', ...headers }).on('drain', pour)
        pour()
      })
      const error = await failure(upstash(url, 'token')(script('return 1'), [], []))
      expect(error).toMatchObject({
        code: 'HALT_E_STORE_MISCONFIGURED',
        message: 'The REST service answered with more than 8 MiB',
      })
      // The connection ends with the answer. What the sockets hold comes on top of what was read.
      await ended
      expect(sent).toBeLessThan(64 * 2 ** 20)
    },
  )

  it('upstash ends a call whose answer begins and comes byte by byte', async ({ scene, expect }) => {
    const end = new AbortController()
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(end.signal)
    scene.defer(() => vi.restoreAllMocks())
    const url = await serviceThat(scene, response => {
      response.writeHead(200, { 'content-type': 'application/json' }).write(' ')
      setImmediate(() => end.abort())
    })
    const late = await failure(upstash(url, 'token')(script('return 1'), [], []))
    expect(late).toMatchObject({ failure: 'timeout', code: 'HALT_E_STORE_TIMEOUT' })
  })

  it('upstash reads an answer of two million bytes whole', async ({ expect }) => {
    const long = await run(script('return string.rep(ARGV[1], 1000000)'), [], ['é'])
    expect(long === 'é'.repeat(1e6)).toBe(true)
  })

  it.for([
    [undefined, 'token', 'url'],
    ['', 'token', 'url'],
    ['redis://localhost:6379', 'token', 'url'],
    ['https://user:secret-word@db.upstash.io', 'token', 'url'],
    ['https://db.upstash.io', undefined, 'token'],
    ['https://db.upstash.io', '', 'token'],
    ['https://db.upstash.io', 'secret-word\n', 'token'],
  ] as const)('upstash refuses the url %s with the token %j', ([url, token, named], { expect }) => {
    const make = (): unknown => upstash(url as string, token as string)
    expect(make).toThrow(expect.objectContaining({ code: 'HALT_E_STORE_OPTION' }))
    expect(make).toThrow(named)
    expect(make).not.toThrow('secret-word')
  })
})

describe('a limiter over upstash', () => {
  it('a limiter decides by onStoreError once storeTimeout is over, while the service hangs', async ({
    scene,
    expect,
  }) => {
    const pending: ServerResponse[] = []
    const url = await serviceThat(scene, response => void pending.push(response))
    const errors: string[] = []
    const limiter = new RateLimiter({
      store: new RedisStore({ run: upstash(url, 'token') }),
      policy: { name: 'api', limit: 5, window: 60, keyStrategy: 'user', onStoreError: 'closed' },
      storeTimeout: '50ms',
      warn: () => {},
      telemetry: { onStoreError: ({ code }) => void errors.push(code) },
    })
    expect(await limiter.consume({ user: 'ann' })).toMatchObject({ allowed: false, reason: 'store-error' })
    expect(errors).toEqual(['HALT_E_STORE_TIMEOUT'])
    for (const response of pending) answers(500, '')(response)
    await limiter.close()
  })

  it('ready() of a store over upstash warns of nothing', async ({ expect }) => {
    const store = new RedisStore({ run, prefix: `${unique()}:` })
    const codes = butSlow(await store.inspect()).map(({ code }) => code)
    expect(codes).toEqual([])
  })
})
