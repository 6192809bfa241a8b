// Runs the lines of docs/proxies.md in the real programs, with clients that lie. Each client has its own address in 127/8,
// all of which Linux assigns to the loopback. The proxy has 127.0.0.1.
import type { HaltWarning, RateLimiterOptions } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express from 'express'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { halt } from '../../src/index.ts'
import { listen } from '../adapter.ts'
import { documented, send, startWebProxy, type WebProxyName } from '../web-proxies.ts'

const CLIENT = '127.0.0.11'
const TRUST = { trustedProxies: ['127.0.0.1'] }
const GET = ['GET / HTTP/1.1', 'Host: app.example', 'Connection: close']

/** Requests by which a client claims another address, or none. `i` varies each claim. */
const LIES: Record<string, (i: number) => string[]> = {
  'no header at all': () => GET,
  'X-Forwarded-For': i => [...GET, `X-Forwarded-For: 198.51.100.${i}`],
  'a private X-Forwarded-For': i => [...GET, `X-Forwarded-For: 10.0.0.${i}, 127.0.0.1`],
  'several lines of X-Forwarded-For': i => [
    ...GET,
    `X-Forwarded-For: 198.51.100.${i}`,
    'x-forwarded-for: 10.0.0.1',
  ],
  'an empty X-Forwarded-For': () => [...GET, 'X-Forwarded-For:'],
  'rubbish in X-Forwarded-For': i => [...GET, `X-Forwarded-For: ", unknown, _x${i}, 010.0.0.1,`],
  'forty addresses': i => [
    ...GET,
    `X-Forwarded-For: ${Array.from({ length: 40 }, () => `198.51.100.${i}`).join()}`,
  ],
  Forwarded: i => [...GET, `Forwarded: for=198.51.100.${i}`],
  'an open quote in Forwarded': i => [...GET, `Forwarded: for=198.51.100.${i};by="`],
  'headers of one address': i => [...GET, `X-Real-IP: 198.51.100.${i}`, `CF-Connecting-IP: 198.51.100.${i}`],
  'Connection: x-forwarded-for': () => [...GET.slice(0, 2), 'Connection: close, x-forwarded-for, forwarded'],
  'both tricks': i => [
    ...GET.slice(0, 2),
    'Connection: close, X-Forwarded-For, Forwarded, Via, X-Forwarded-Proto, X-Forwarded-Host',
    `X-Forwarded-For: 198.51.100.${i}`,
  ],
  'HTTP/1.0': i => ['GET / HTTP/1.0', 'Host: app.example', `X-Forwarded-For: 198.51.100.${i}`],
}

const proxies: WebProxyName[] = ['nginx', 'haproxy', 'caddy']
const closing: (() => Promise<void>)[] = []
const closeAll = async (): Promise<void> => {
  for (const close of closing.splice(0).toReversed()) await close()
}

/** An app behind a proxy. It answers with the key and the reason of each decision. */
async function appBehind(name: WebProxyName, block: string) {
  let guard = halt({ store: new InMemoryStore(), policy: { name: 'api', limit: 1, window: 60 } })
  const app = express()
  app.use((req, res, next) => guard(req, res, next))
  app.get('/', ({ halt: decision }, res) => void res.json(`${decision?.key} ${decision?.reason}`))
  const served = await listen(app)
  closing.push(served.close)
  const proxy = await startWebProxy(name, block, Number(new URL(served.url).port))
  closing.push(proxy.stop)
  return {
    /** Starts a new limiter with these options, and collects its warnings. */
    limit(options: Partial<RateLimiterOptions>, limit = 1000): HaltWarning[] {
      const warnings: HaltWarning[] = []
      const warn = (warning: HaltWarning): void => void warnings.push(warning)
      guard = halt({
        store: new InMemoryStore(),
        policy: { name: 'api', limit, window: 3600 },
        warn,
        ...options,
      })
      return warnings
    },
    /** The answer of the app: `ip:127.0.0.11 ok`, or `429`. */
    async ask(head: readonly string[], from = CLIENT): Promise<string> {
      const answer = await send(proxy.port, from, head)
      return /"(ip:.*)"/.exec(answer)?.[1] ?? answer.slice(9, 12)
    },
  }
}

describe.runIf(process.platform === 'linux')('docs/proxies.md', () => {
  describe.each(proxies)('%s', name => {
    let app: Awaited<ReturnType<typeof appBehind>>
    beforeAll(async () => {
      app = await appBehind(name, await documented(name))
    })
    afterAll(closeAll)

    it('an app behind the proxy gives two clients two counters', async () => {
      const warnings = app.limit(TRUST, 1)
      const said: string[] = []
      for (const from of [CLIENT, '127.0.0.12', CLIENT, '127.0.0.12']) said.push(await app.ask(GET, from))
      expect(said).toEqual(['ip:127.0.0.11 ok', 'ip:127.0.0.12 ok', '429', '429'])
      expect(warnings).toEqual([])
    })

    it.each(Object.entries(LIES))('a client that sends %s counts by its own address', async (_lie, head) => {
      app.limit(TRUST)
      for (let i = 1; i <= 3; i++) expect(await app.ask(head(i))).toBe('ip:127.0.0.11 ok')
    })

    it('an app counts a proxy that it does not trust as one client, which is never exempt', async () => {
      const warnings = app.limit({})
      expect(await app.ask(GET)).toBe('ip:127.0.0.1 ok')
      for (const head of Object.values(LIES)) expect(await app.ask(head(1))).toBe('ip:127.0.0.1 ok')
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_UNTRUSTED_PROXY'])
      expect(warnings[0]?.fix).toContain('trustedProxies: ["127.0.0.1"]')
    })
  })

  describe('a proxy without its line for X-Forwarded-For', () => {
    afterEach(closeAll)

    const plain = async (name: WebProxyName): Promise<string> =>
      (await documented(name)).replace(/^.*(?:X-Forwarded-For|forwardfor).*$/m, '')

    it.each<[WebProxyName, string]>([
      ['nginx', 'proxy_http_version 1.0'],
      ['nginx', 'proxy_http_version 1.1'],
      ['haproxy', ''],
    ])('a trusted proxy without its line is never exempt: %s, %s', async (name, version) => {
      const app = await appBehind(name, (await plain(name)).replace('proxy_http_version 1.1', version))
      app.limit(TRUST, 2)
      const said = new Set<string>()
      for (const head of Object.values(LIES)) {
        const lines = head(1).filter(line => !/^x-forwarded-for/i.test(line))
        said.add(await app.ask(lines))
      }
      expect([...said]).toEqual(['ip:127.0.0.1 ok', '429'])
    })

    it('a proxy that speaks HTTP/1.0 counts as one client from its first request on', async () => {
      // Set it, because nginx uses HTTP/1.1 by default from 1.29.7 on.
      const location = 'location / { proxy_pass http://127.0.0.1:3000; proxy_http_version 1.0; }'
      const app = await appBehind('nginx', `server { listen 8080; ${location} }`)
      const warnings = app.limit({}, 3)
      const said: string[] = []
      for (let i = 0; i < 5; i++) said.push(await app.ask(GET))
      expect(said).toEqual(['ip:127.0.0.1 ok', 'ip:127.0.0.1 ok', 'ip:127.0.0.1 ok', '429', '429'])
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_UNTRUSTED_PROXY'])
      expect(warnings[0]?.fix).toContain('trustedProxies: ["127.0.0.1"]')
    })
  })

  describe('HAProxy with option forwarded', () => {
    afterEach(closeAll)

    it('HAProxy with option forwarded gives each client a counter, whatever the client sends', async () => {
      const page = await documented('haproxy')
      const block = page
        .replace('option forwardfor', '')
        .replace('backend app\n  server', 'backend app\n  option forwarded\n  server')
      const app = await appBehind('haproxy', block)
      app.limit({ ...TRUST, clientIpHeader: 'forwarded' })
      for (const head of Object.values(LIES)) expect(await app.ask(head(1))).toBe('ip:127.0.0.11 ok')
    })
  })
})
