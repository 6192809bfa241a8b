import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Decision, Policy, RateLimiter } from '@halt/core'
import {
  type ArgumentsHost,
  Catch,
  createParamDecorator,
  type ExecutionContext,
  type INestApplication,
  UseFilters,
  UseGuards,
} from '@nestjs/common'
import { WsAdapter } from '@nestjs/platform-ws'
import {
  BaseWsExceptionFilter,
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
} from '@nestjs/websockets'
import { of } from 'rxjs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'

import {
  HaltGuard,
  InjectRateLimiter,
  RateLimit,
  RateLimitCost,
  RateLimitDecision,
  SkipRateLimit,
} from '../../src/index.ts'
import { countingStore, startApp } from '../app.ts'

const global: Policy = { name: 'global', limit: 5, window: 60 }

const held: (() => void)[] = []

@WebSocketGateway({ path: '/chat' })
@RateLimit()
class ChatGateway {
  @SubscribeMessage('say')
  say(@MessageBody() text: unknown, @RateLimitDecision() decision: Decision) {
    return { event: 'said', data: { text, remaining: decision.remaining } }
  }

  @SubscribeMessage('shout')
  @RateLimit({ name: 'shouts', limit: 1, window: 60 })
  shout() {
    return of({ event: 'said', data: 'LOUD' })
  }

  @SubscribeMessage('hold')
  @RateLimit({ name: 'held', limit: 1, algorithm: 'concurrency', ttl: 60 })
  async hold() {
    await new Promise<void>(resolve => held.push(resolve))
    return { event: 'said', data: 'held' }
  }

  @SubscribeMessage('free')
  @SkipRateLimit()
  free() {
    return { event: 'said', data: 'free' }
  }
}

const hundred: Policy = { ...global, limit: 100 }

@WebSocketGateway({ path: '/chat' })
@RateLimit()
class CostlyGateway {
  @InjectRateLimiter() readonly limiter!: RateLimiter

  @SubscribeMessage('ask')
  @RateLimitCost(10)
  async ask(@MessageBody() data: unknown, @RateLimitDecision() decision: Decision) {
    const seen = decision.remaining
    await sleep(20)
    await this.limiter.settle(decision, 1)
    return { event: 'said', data: { data, seen } }
  }

  @SubscribeMessage('left')
  left(@RateLimitDecision() decision: Decision) {
    return { event: 'said', data: decision.remaining }
  }

  @SubscribeMessage('free')
  @SkipRateLimit()
  free(@RateLimitDecision() decision: Decision | undefined) {
    return { event: 'said', data: decision?.remaining ?? 'none' }
  }
}

interface Talk {
  /** Sends messages, and gives one answer for each. */
  say(
    ...messages: readonly (readonly [event: string, data?: unknown])[]
  ): Promise<{ event: string; data: any }[]>
  readonly socket: WebSocket
}

const usingWs = (app: INestApplication) => app.useWebSocketAdapter(new WsAdapter(app))

async function connect(url: string, headers: Record<string, string> = {}): Promise<Talk> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/chat`, { headers })
  onTestFinished(() => socket.terminate())
  const answers: { event: string; data: unknown }[] = []
  socket.on('message', data => answers.push(JSON.parse((data as Buffer).toString())))
  await once(socket, 'open')
  return {
    socket,
    async say(...messages) {
      for (const message of messages) {
        const [event, data] = message.length === 1 ? [message[0], {}] : message
        socket.send(JSON.stringify({ event, data }))
      }
      await expect.poll(() => answers.length).toBe(messages.length)
      return answers.splice(0)
    },
  }
}

const start = (options: object, gateway: any = ChatGateway, guarded = true): Promise<string> =>
  startApp({ policy: global, ...options }, { providers: [gateway], before: usingWs, guarded })

describe('a gateway', () => {
  it('a gateway charges each of fifty messages on a socket, and refuses with a WsException', async () => {
    const store = countingStore()
    const { say } = await connect(await start({ store }))
    const answers = await say(...Array.from({ length: 50 }, () => ['say', { text: 'spam' }] as const))
    expect(answers.filter(({ event }) => event === 'said')).toHaveLength(5)
    expect(answers.find(({ event }) => event === 'exception')?.data).toEqual({
      error: 'rate_limit_exceeded',
      message: 'Too many requests. Please try again later.',
      retry_after: expect.any(Number),
    })
    expect(store.calls).toBe(50)
  })

  it('a gateway gives each handler its decision, whatever the message is', async () => {
    const { say } = await connect(await start({}))
    const answers = await say(['say', { a: 1 }], ['say', 'text'], ['say', [1]])
    expect(answers.map(({ data }) => data.remaining)).toEqual([4, 3, 2])
  })

  it.each([
    ['a text', 'text'],
    ['null', null],
    ['missing', undefined],
    ['an object', { a: 1 }],
  ])('handlers at work at once get their own decision, when the message is %s', async (_what, data) => {
    const codes: string[] = []
    const warn = ({ code }: { code: string }) => void codes.push(code)
    const { say } = await connect(await start({ policy: hundred, warn }, CostlyGateway))
    const answers = await say(['ask', data], ['ask', data], ['ask', data])
    expect(answers.map(answer => answer.data)).toEqual([90, 80, 70].map(seen => ({ data, seen })))
    // Each of them refunded the units that it did not use.
    expect((await say(['left']))[0]?.data).toBe(96)
    expect(codes).toEqual([])
  })

  it('a handler that is not counted gets no decision, whatever its socket sent before', async () => {
    const { say } = await connect(await start({ policy: hundred }, CostlyGateway))
    for (const data of ['text', undefined, { a: 1 }]) {
      await say(['ask', data])
      expect((await say(['free', data]))[0]?.data).toBe('none')
    }
  })

  it('a gateway keeps the positions of the arguments that Nest gives to a message', async () => {
    const Seen = createParamDecorator((_: unknown, context: ExecutionContext) => {
      const ws = context.switchToWs()
      return [ws.getClient<WebSocket>().readyState, ws.getData<unknown>(), ws.getPattern()]
    })
    @WebSocketGateway({ path: '/chat' })
    @RateLimit()
    class Seeing {
      @SubscribeMessage('say')
      say(@Seen() seen: unknown) {
        return { event: 'said', data: seen }
      }

      @SubscribeMessage('bare')
      bare(...all: unknown[]) {
        return { event: 'said', data: all.slice(1) }
      }
    }
    const { say } = await connect(await start({}, Seeing))
    expect((await say(['say', 'text']))[0]?.data).toEqual([1, 'text', 'say'])
    expect((await say(['bare', 'text']))[0]?.data).toEqual(['text', null])
  })

  it('a gateway adds the policies of a handler, and skips a handler with @SkipRateLimit', async () => {
    const store = countingStore()
    const { say } = await connect(await start({ store }))
    expect((await say(['shout'], ['shout'], ['free'])).map(({ event }) => event).toSorted()).toEqual([
      'exception',
      'said',
      'said',
    ])
    expect(store.calls).toBe(2)
    expect((await say(['say']))[0]?.data.remaining).toBe(3)
  })

  it('a gateway counts messages in flight until they are handled', async () => {
    const { say, socket } = await connect(await start({ policy: { ...global, limit: 100 } }))
    socket.send(JSON.stringify({ event: 'hold', data: {} }))
    await expect.poll(() => held.length).toBe(1)
    expect((await say(['hold']))[0]?.event).toBe('exception')
    const answer = once(socket, 'message')
    held.pop()?.()
    await answer
    socket.send(JSON.stringify({ event: 'hold', data: {} }))
    await expect.poll(() => held.length).toBe(1)
    held.pop()?.()
  })

  it('a gateway can have @UseGuards too, and counts once', async () => {
    @WebSocketGateway({ path: '/chat' })
    @UseGuards(HaltGuard)
    class Guarded {
      @SubscribeMessage('say')
      @RateLimit()
      say() {
        return { event: 'said', data: {} }
      }
    }
    const store = countingStore()
    const { say } = await connect(await start({ store }, Guarded, false))
    await say(['say'], ['say'])
    expect(store.calls).toBe(2)
  })

  it('filters see a WsException with the decision', async () => {
    const seen: unknown[] = []
    @Catch(WsException)
    class Filter extends BaseWsExceptionFilter {
      override catch(exception: WsException & { decision?: Decision }, host: ArgumentsHost) {
        seen.push(exception.decision?.policy)
        super.catch(exception, host)
      }
    }
    @WebSocketGateway({ path: '/chat' })
    @UseFilters(Filter)
    @RateLimit()
    class Filtered {
      @SubscribeMessage('say')
      say() {}
    }
    const { socket } = await connect(await start({ policy: { ...global, limit: 1 } }, Filtered))
    // The handler answers nothing, the filter answers the message that is refused.
    const answer = once(socket, 'message')
    for (let i = 0; i < 2; i++) socket.send(JSON.stringify({ event: 'say', data: {} }))
    await answer
    expect(seen).toEqual(['global'])
  })

  it('a gateway counts by the peer of its socket, and by a header only behind a trusted proxy', async () => {
    const keys: string[] = []
    const telemetry = { onAllowed: (key: string) => void keys.push(key) }
    const forwarded = { 'x-forwarded-for': '203.0.113.9' }
    const { say } = await connect(await start({ telemetry, warn: () => {} }), forwarded)
    await say(['say'])
    const trusting = await connect(await start({ telemetry, trustedProxies: ['loopback'] }), forwarded)
    await trusting.say(['say'])
    expect(keys).toEqual(['ip:127.0.0.1', 'ip:203.0.113.9'])
  })

  it('callbacks get the socket and the context', async () => {
    const keyExtractor = (client: { readyState: number }, context: ExecutionContext) =>
      client.readyState === 1 ? context.switchToWs().getData<{ room: string }>().room : undefined
    const { say } = await connect(await start({ policy: { ...global, limit: 1, keyExtractor } }))
    const answers = await say(['say', { room: 'a' }], ['say', { room: 'a' }], ['say', { room: 'b' }])
    expect(answers.map(({ event }) => event).toSorted()).toEqual(['exception', 'said', 'said'])
  })

  it('a global guard alone counts a message to its end', async () => {
    const release = vi.fn<() => boolean>(() => true)
    @WebSocketGateway({ path: '/chat' })
    class Plain {
      @SubscribeMessage('say')
      say() {
        return { event: 'said' }
      }
    }
    const codes: string[] = []
    const warn = ({ code }: { code: string }) => void codes.push(code)
    const { say } = await connect(
      await start({ policy: { ...global, limit: 2 }, chargeWhen: release, warn }, Plain),
    )
    const answers = await say(['say'], ['say'], ['say'])
    expect(answers.map(({ event }) => event).toSorted()).toEqual(['exception', 'said', 'said'])
    expect(release).toHaveBeenCalledTimes(2)
    expect(codes).toEqual([])
  })

  it('a gateway can limit connections by hand', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Connections {
      @InjectRateLimiter('connections') readonly limiter!: RateLimiter

      async handleConnection(@ConnectedSocket() client: WebSocket) {
        const decision = await this.limiter.consume({ custom: 'all' })
        if (!decision.allowed) client.close(1013)
      }
    }
    const url = await start(
      { policies: { connections: { name: 'connections', limit: 1, window: 60 } } },
      Connections,
      false,
    )
    await connect(url)
    const { socket } = await connect(url)
    expect((await once(socket, 'close'))[0]).toBe(1013)
  })
})
