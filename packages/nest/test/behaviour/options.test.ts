import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

import { type Policy, RateLimiter } from '@halt/core'
import { guard, toView } from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import {
  Controller,
  type ExecutionContext,
  Get,
  ImATeapotException,
  type INestApplication,
  type MessageEvent,
  Param,
  Sse,
  UnauthorizedException,
} from '@nestjs/common'
import { Observable, of } from 'rxjs'
import { describe, expect, it } from 'vitest'

import { RateLimit, SkipRateLimit } from '../../src/index.ts'
import { countingStore, LOCAL, makeApp, platforms, startApp, statuses } from '../app.ts'

const global: Policy = { name: 'global', limit: 2, window: 60 }
const flight: Policy = { name: 'flight', limit: 1, algorithm: 'concurrency', ttl: 60 }

let release: (() => void)[] = []

@Controller()
class Routes {
  @Get('x')
  x() {
    return 'x'
  }

  @Get('status/:code')
  status(@Param('code') code: string) {
    if (code === '401') throw new UnauthorizedException()
    return 'fine'
  }

  @Get('slow')
  async slow() {
    await new Promise<void>(resolve => release.push(resolve))
    return 'slow'
  }

  @Get('narrow')
  @RateLimit({ name: 'narrow', limit: 1, window: 60 })
  narrow() {
    return 'narrow'
  }

  @Get('narrow-slow')
  @RateLimit(flight)
  async narrowSlow() {
    await new Promise<void>(resolve => release.push(resolve))
    return 'slow'
  }

  @Sse('events')
  @RateLimit({ name: 'events', limit: 1, window: 60 })
  events(): Observable<MessageEvent> {
    return of({ data: 'one' })
  }
}

/** A stream of one text that begins later than a callback may take. */
function slowly(text: string): Readable {
  return Readable.from(
    (async function* () {
      await sleep(100)
      yield text
    })(),
  )
}

const finish = (): void => {
  for (const resolve of release) resolve()
  release = []
}

describe.each(platforms)('on %s', platform => {
  const parts = { platform, controllers: [Routes] }

  it.each(['slow', 'narrow-slow'])('a request to /%s is in flight until it is answered', async path => {
    const policy = path === 'slow' ? flight : { ...global, limit: 100 }
    const url = await startApp({ policy }, parts)
    const first = fetch(`${url}/${path}`)
    await expect.poll(() => release.length).toBe(1)
    expect((await fetch(`${url}/${path}`)).status).toBe(429)
    finish()
    expect((await first).status).toBe(200)
    await sleep(10)
    const again = fetch(`${url}/${path}`)
    await expect.poll(() => release.length).toBe(1)
    finish()
    expect((await again).status).toBe(200)
  })

  it('chargeWhen refunds a call if it returns false, and gets its context', async () => {
    const handlers = new Set<string>()
    const chargeWhen = ({ statusCode }: { statusCode: number }, context: ExecutionContext) => {
      handlers.add(context.getHandler().name)
      return statusCode >= 400
    }
    const url = await startApp({ policy: global, chargeWhen }, parts)
    expect(await statuses(`${url}/status/200`, 5)).toEqual([200, 200, 200, 200, 200])
    expect(await statuses(`${url}/status/401`, 3)).toEqual([401, 401, 429])
    expect([...handlers]).toEqual(['status'])
  })

  it('onLimited may throw another exception', async () => {
    const onLimited = () => {
      throw new ImATeapotException()
    }
    const url = await startApp({ policy: global, onLimited }, parts)
    expect(await statuses(`${url}/x`, 3)).toEqual([200, 200, 418])
  })

  it('onLimited may answer by itself, with the headers already set', async () => {
    const onLimited = (decision: { policy: string }, context: ExecutionContext) =>
      context.switchToHttp().getResponse().status(420).send({ slow: decision.policy })
    const url = await startApp({ policy: global, onLimited }, parts)
    await statuses(`${url}/x`, 2)
    const refused = await fetch(`${url}/x`)
    expect(refused.status).toBe(420)
    expect(refused.headers.get('retry-after')).not.toBeNull()
    expect(await refused.json()).toEqual({ slow: 'global' })
  })

  it('the default answer is sent if onLimited returns the response and sends nothing', async () => {
    const touch = (_: unknown, context: ExecutionContext) => {
      const response = context.switchToHttp().getResponse()
      if (platform === 'express') response.setHeader('x', '1')
      else response.header('x', '1')
      return response
    }
    for (const onLimited of [touch, async (...args: Parameters<typeof touch>) => touch(...args)]) {
      const options = { policy: global, onLimited, callbackTimeout: '50ms', warn: () => {} }
      const url = await startApp(options, parts)
      await statuses(`${url}/x`, 2)
      const refused = await fetch(`${url}/x`)
      expect([refused.status, refused.headers.get('x')]).toEqual([429, '1'])
      expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded' })
    }
  })

  it('onLimited keeps an answer that begins late or is sent later', async () => {
    const stream = (response: any) =>
      platform === 'express' ? slowly('mine').pipe(response) : response.send(slowly('mine'))
    const later = (response: any) => {
      setTimeout(() => response.send('mine'), 20)
      return response
    }
    const raw = (response: any) => {
      response.hijack?.()
      ;(response.raw ?? response).writeHead(429).flushHeaders()
      setTimeout(() => (response.raw ?? response).end('mine'), 100)
      return response
    }
    for (const answer of [stream, later, raw]) {
      for (const isReturned of [true, false]) {
        const onLimited = (_: unknown, context: ExecutionContext) => {
          const given = answer(context.switchToHttp().getResponse())
          return isReturned ? given : undefined
        }
        const codes: string[] = []
        const warn = ({ code }: { code: string }) => codes.push(code)
        const url = await startApp({ policy: global, onLimited, callbackTimeout: '50ms', warn }, parts)
        await statuses(`${url}/x`, 2)
        const refused = await fetch(`${url}/x`)
        expect([refused.status, await refused.text(), codes]).toEqual([429, 'mine', []])
      }
    }
  })

  it('the guard waits for a later answer of onLimited, and sends its return value', async () => {
    const later = (_: unknown, context: ExecutionContext) => {
      const response = context.switchToHttp().getResponse()
      setTimeout(() => response.send({ slow: true }), 20)
    }
    for (const onLimited of [later, () => ({ slow: true }), async () => ({ slow: true })]) {
      const url = await startApp({ policy: global, onLimited }, parts)
      await statuses(`${url}/x`, 2)
      const refused = await fetch(`${url}/x`)
      expect([refused.status, await refused.json()]).toEqual([429, { slow: true }])
    }
  })

  it('an event stream is refused before it begins, guarded or not', async () => {
    for (const guarded of [true, false]) {
      const url = await startApp({ policy: { ...global, limit: 9 } }, { ...parts, guarded })
      expect((await fetch(`${url}/events`)).headers.get('content-type')).toMatch(/event-stream/)
      const refused = await fetch(`${url}/events`)
      expect([refused.status, refused.headers.get('content-type')]).toEqual([
        429,
        expect.stringMatching(/json/),
      ])
    }
  })

  it('the policies of a route are added to those of a resolver in one store call', async () => {
    const store = countingStore()
    const plans = { free: { ...global, name: 'plan' }, pro: { ...global, name: 'plan', limit: 4 } }
    const policy = async (request: { headers: Record<string, string> }, context: ExecutionContext) => {
      if (context.getType() !== 'http') throw new Error('no context')
      return request.headers['x-plan'] === 'pro' ? plans.pro : plans.free
    }
    const url = await startApp({ store, policy }, parts)
    expect(await statuses(`${url}/x`, 3)).toEqual([200, 200, 429])
    const pro = { headers: { 'x-plan': 'pro' } }
    expect(await statuses(`${url}/narrow`, 2, pro)).toEqual([200, 429])
    expect(await statuses(`${url}/x`, 2, pro)).toEqual([200, 429])
    expect(store.calls).toBe(7)
  })

  it('a route skips a policy of a resolver by name', async () => {
    @Controller()
    class Skips {
      @Get('less')
      @SkipRateLimit('minute')
      less() {}
    }
    const policies = [global, { ...global, name: 'minute', limit: 1 }]
    const url = await startApp({ policy: async () => policies }, { platform, controllers: [Skips, Routes] })
    expect(await statuses(`${url}/less`, 3)).toEqual([200, 200, 429])
    const other = await startApp({ policy: () => policies }, { platform, controllers: [Skips, Routes] })
    expect(await statuses(`${other}/x`, 2)).toEqual([200, 429])
    expect(await statuses(`${other}/less`, 2)).toEqual([200, 429])
  })

  it('the guard answers 503 if the resolver fails', async () => {
    const policy = (): Policy => {
      throw new Error('the database is down')
    }
    const closed = await startApp({ policy, warn: () => {} }, parts)
    expect(await statuses(`${closed}/x`, 1)).toEqual([503])
    expect(await statuses(`${closed}/narrow`, 1)).toEqual([503])
    const fallback = await startApp({ policy, fallbackPolicy: global, warn: () => {} }, parts)
    expect(await statuses(`${fallback}/narrow`, 2)).toEqual([200, 429])
    expect(await statuses(`${fallback}/x`, 2)).toEqual([200, 429])
  })

  it('the guard counts only decorated routes when there is no global policy', async () => {
    const url = await startApp({ policies: { unused: global } }, parts)
    expect(await statuses(`${url}/x`, 4)).toEqual([200, 200, 200, 200])
    expect(await statuses(`${url}/narrow`, 2)).toEqual([200, 429])
  })

  it('callbacks get the request and the context', async () => {
    const seen: unknown[] = []
    const note = (name: string) => (request: { url: string }, context: ExecutionContext) =>
      void seen.push([name, request.url, context.getClass() === Routes])
    const keyExtractor = (request: { headers: Record<string, string> }, context: ExecutionContext) => {
      note('key')(request as never, context)
      return request.headers['x-key']
    }
    const options = { skip: note('skip'), clientIp: note('ip'), policy: { ...global, keyExtractor } }
    const url = await startApp(options as never, parts)
    expect(await statuses(`${url}/x`, 3, { headers: { 'x-key': 'one' } })).toEqual([200, 200, 429])
    expect(await statuses(`${url}/x`, 1, { headers: { 'x-key': 'two' } })).toEqual([200])
    expect(seen).toContainEqual(['skip', '/x', true])
    expect(seen).toContainEqual(['key', '/x', true])
  })

  it('a middleware and the guard share a limiter, and charge a request of both once', async () => {
    const limiter = new RateLimiter({ ...LOCAL, store: new InMemoryStore(), policy: global })
    // The Express and Fastify adapters do the same if they are mounted before Nest.
    const outer = guard(limiter)
    const before = (app: INestApplication) =>
      app.use((request: object, _: unknown, next: () => void) => {
        void outer.enter(toView(request), request)
        next()
      })
    const url = await startApp({ limiter } as never, { ...parts, before })
    expect(await statuses(`${url}/narrow`, 1)).toEqual([200])
    expect((await limiter.peek({ ip: '127.0.0.1' })).remaining).toBe(1)
    await limiter.consume({ ip: '127.0.0.1' })
    expect(await statuses(`${url}/x`, 1)).toEqual([429])
  })

  it('Halt warns if the platform trusts proxies and trustedProxies is empty', async () => {
    const warnings: string[] = []
    const warn = ({ code }: { code: string }) => void warnings.push(code)
    const url = await startApp({ policy: global, warn }, { ...parts, trustProxy: true })
    await fetch(`${url}/x`)
    expect(warnings).toEqual(['HALT_W_TRUST_PROXY_IGNORED'])
  })
})

describe('an application fails at start', () => {
  const start = (options: object, controller: any): Promise<string> =>
    startApp({ policy: global, ...options }, { controllers: [controller] })

  it('the start fails for an unknown name, with the place and the known names', async () => {
    @Controller()
    class Typo {
      @Get()
      @RateLimit('auht')
      get() {}
    }
    await expect(start({ policies: { auth: global } }, Typo)).rejects.toMatchObject({
      code: 'HALT_E_UNKNOWN_POLICY',
      message: expect.stringMatching(/Typo\.get: No policy is named "auht"\. Known: auth, global/),
    })
  })

  it('the start fails for an unknown name in @SkipRateLimit', async () => {
    @Controller()
    @SkipRateLimit('gobal')
    class Typo {
      @Get()
      get() {}
    }
    await expect(start({}, Typo)).rejects.toMatchObject({ code: 'HALT_E_UNKNOWN_POLICY' })
  })

  it('the start fails for a wrong policy on a route', async () => {
    @Controller()
    class Wrong {
      @Get()
      @RateLimit({ name: 'wrong', limit: 0, window: 1 })
      get() {}
    }
    await expect(start({}, Wrong)).rejects.toMatchObject({
      code: 'HALT_E_LIMIT',
      message: expect.stringContaining('Wrong.get: '),
    })
  })

  it('the start fails for two policies of one name on a route', async () => {
    @Controller()
    class Double {
      @Get()
      @RateLimit({ name: 'global', limit: 1, window: 1 })
      get() {}
    }
    const failed = await start({}, Double).catch((error: unknown) => error)
    expect(failed).toMatchObject({
      code: 'HALT_E_DUPLICATE_POLICY',
      message: expect.stringContaining('Double.get: '),
      fix: expect.stringContaining('{ override: true }'),
    })
    // Node prints a cause with the same sentence and stack once more.
    expect(failed).not.toHaveProperty('cause')
  })

  it('@RateLimit throws for override inside a policy, and says where it belongs', () => {
    const policy = { name: 'strict', limit: 1, window: 1, override: true }
    expect(() => RateLimit(policy)).toThrow(
      /HALT_E_UNKNOWN_FIELD: The policy "strict" of @RateLimit has a field "override"\. Give it as the last argument/,
    )
  })

  it.each(['class', 'handler'])('the start fails for override without a policy on a %s', async where => {
    const hollow = RateLimit({ override: true })
    const named = RateLimit('auth')
    @Controller()
    @(where === 'class' ? hollow : named)
    class Hollow {
      @Get()
      @(where === 'class' ? named : hollow)
      get() {}
    }
    await expect(start({ policies: { auth: { ...global, name: 'auth' } } }, Hollow)).rejects.toMatchObject({
      code: 'HALT_E_OPTION',
      message: expect.stringMatching(
        /Hollow\.get: @RateLimit has override, but no policy that replaces the global ones\. Name a policy .* @SkipRateLimit\(\)/,
      ),
    })
  })

  it('the start fails for decorators without the module, which compile', async () => {
    @Controller()
    class Lost {
      @Get()
      @RateLimit('any')
      get() {}
    }
    const app = await makeApp(undefined, { controllers: [Lost], guarded: false })
    await expect(app.init()).rejects.toMatchObject({ code: 'HALT_E_MODULE' })
  })

  it('the start fails for wrong options', async () => {
    for (const [options, code] of [
      [{ policy: { ...global, windowMs: 1 } }, 'HALT_E_UNKNOWN_FIELD'],
      [{ windowMs: 1 }, 'HALT_E_UNKNOWN_FIELD'],
      [{ policy: undefined }, 'HALT_E_POLICY'],
      [{ onLimited: 'no' }, 'HALT_E_OPTION'],
      [{ getRequest: 'no' }, 'HALT_E_OPTION'],
      [{ policies: { bad: { name: 'x', limit: 1, window: 0 } } }, 'HALT_E_WINDOW'],
      [{ limiter: {} }, 'HALT_E_LIMITER'],
    ] as const) {
      const made = makeApp({ policy: global, ...options } as never, {}).then(() => 'made')
      await expect(made, JSON.stringify(options)).rejects.toMatchObject({ code })
    }
  })
})
