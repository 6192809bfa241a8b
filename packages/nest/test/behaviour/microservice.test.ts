import type { Decision, Policy, RateLimiter } from '@halt/core'
import {
  Catch,
  Controller,
  type ExecutionContext,
  type INestApplication,
  Module,
  UseFilters,
} from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import {
  BaseRpcExceptionFilter,
  type ClientProxy,
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices'
import { firstValueFrom, interval, map, take, toArray } from 'rxjs'
import { describe, expect, it, onTestFinished } from 'vitest'

import {
  getRateLimiterToken,
  HaltGuard,
  HaltInterceptor,
  HaltModule,
  RateLimit,
  RateLimitDecision,
} from '../../src/index.ts'
import { countingStore, LOCAL, makeApp } from '../app.ts'
import { freePort } from '../../../../tools/free-port.mjs'

const global: Policy = { name: 'global', limit: 3, window: 60 }

let events = 0
const held: (() => void)[] = []

@Controller()
class MathController {
  @MessagePattern('add')
  add(@Payload() numbers: number[], @RateLimitDecision() decision: Decision | undefined) {
    return { sum: numbers.reduce((a, b) => a + b, 0), remaining: decision?.remaining ?? null }
  }

  @MessagePattern('stream')
  @RateLimit({ name: 'streams', limit: 1, algorithm: 'concurrency', ttl: 60 })
  stream() {
    return interval(30).pipe(
      take(3),
      map(i => i),
    )
  }

  @MessagePattern('hold')
  @RateLimit({ name: 'held', limit: 1, algorithm: 'concurrency', ttl: 60 })
  async hold() {
    await new Promise<void>(resolve => held.push(resolve))
    return 'held'
  }

  @EventPattern('event')
  event(@Payload() _data: unknown) {
    events++
  }
}

/** Starts a service on TCP, in an HTTP application or alone. */
async function start(
  options: object,
  controller: any = MathController,
  inheritAppConfig = true,
): Promise<ClientProxy> {
  const port = await freePort()
  const before = (app: INestApplication) =>
    app.connectMicroservice<MicroserviceOptions>(
      { transport: Transport.TCP, options: { port, host: '127.0.0.1' } },
      { inheritAppConfig },
    )
  const app = await makeApp({ policy: global, ...options } as never, { controllers: [controller], before })
  await app.startAllMicroservices()
  await app.init()
  const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { port, host: '127.0.0.1' } })
  onTestFinished(() => client.close())
  return client
}

const send = (client: ClientProxy, pattern: string, data: unknown = [1, 2]): Promise<any> =>
  firstValueFrom(client.send(pattern, data)).catch((error: unknown) => ({ error }))

describe('a microservice', () => {
  it('a microservice charges every message, and refuses with the body as an RpcException', async () => {
    const store = countingStore()
    const client = await start({ store })
    const answers = []
    for (let i = 0; i < 5; i++) answers.push(await send(client, 'add'))
    expect(answers.slice(0, 3).map(({ remaining }) => remaining)).toEqual([2, 1, 0])
    expect(answers[4].error).toEqual({
      error: 'rate_limit_exceeded',
      message: 'Too many requests. Please try again later.',
      retry_after: expect.any(Number),
    })
    expect(store.calls).toBe(5)
  })

  it('a microservice charges events', async () => {
    events = 0
    const client = await start({})
    for (let i = 0; i < 5; i++) client.emit('event', i)
    expect((await send(client, 'add')).error).toMatchObject({ error: 'rate_limit_exceeded' })
    expect(events).toBe(3)
  })

  it('a microservice can have its own guard and interceptor in an application without them', async () => {
    const codes: string[] = []
    const flight = { name: 'flight', limit: 1, algorithm: 'concurrency', ttl: 60 } as const
    const warn = ({ code }: { code: string }) => codes.push(code)
    const app = await makeApp({ policy: flight, warn }, { controllers: [MathController], guarded: false })
    const options = { port: await freePort(), host: '127.0.0.1' }
    const service = app.connectMicroservice<MicroserviceOptions>(
      { transport: Transport.TCP, options },
      { deferInitialization: true },
    )
    service.useGlobalGuards(app.get(HaltGuard))
    service.useGlobalInterceptors(app.get(HaltInterceptor))
    await app.startAllMicroservices()
    await app.listen(0, '127.0.0.1')
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options })
    onTestFinished(() => client.close())
    for (let i = 0; i < 3; i++) expect((await send(client, 'add')).remaining).toBe(0)
    const first = send(client, 'hold')
    await expect.poll(() => held.length).toBe(1)
    expect((await send(client, 'add')).error).toMatchObject({ error: 'rate_limit_exceeded' })
    held.pop()?.()
    expect(await first).toBe('held')
    expect(codes).toEqual([])
  })

  it('a decorated handler that the global guard does not reach is counted', async () => {
    const client = await start({}, MathController, false)
    for (let i = 0; i < 5; i++) expect((await send(client, 'add')).sum).toBe(3)
    const first = send(client, 'hold')
    await expect.poll(() => held.length).toBe(1)
    expect((await send(client, 'hold')).error).toMatchObject({ error: 'rate_limit_exceeded' })
    held.pop()?.()
    expect(await first).toBe('held')
    const again = send(client, 'hold')
    await expect.poll(() => held.length).toBe(1)
    held.pop()?.()
    expect(await again).toBe('held')
  })

  it('a stream counts as in flight until it is complete', async () => {
    const client = await start({ policy: { ...global, limit: 100 } })
    const values = firstValueFrom(client.send('stream', {}).pipe(toArray()))
    await new Promise(resolve => setTimeout(resolve, 20))
    expect((await send(client, 'stream')).error).toMatchObject({ error: 'rate_limit_exceeded' })
    expect(await values).toEqual([0, 1, 2])
    expect(await send(client, 'stream')).toBe(0)
  })

  it('filters see an RpcException with the decision', async () => {
    const seen: unknown[] = []
    @Catch(RpcException)
    class Filter extends BaseRpcExceptionFilter {
      override catch(exception: RpcException & { decision?: Decision }, host: never) {
        seen.push(exception.decision?.policy)
        return super.catch(exception, host)
      }
    }
    @Controller()
    @UseFilters(Filter)
    class Filtered {
      @MessagePattern('add')
      add() {
        return 1
      }
    }
    const client = await start({ policy: { ...global, limit: 1 } }, Filtered)
    await send(client, 'add')
    await send(client, 'add')
    expect(seen).toEqual(['global'])
  })

  it('a microservice ignores the claims of a sender about itself, unless the application reads them', async () => {
    const keys: string[] = []
    const telemetry = { onAllowed: (key: string) => void keys.push(key) }
    const byUser = { ...global, keyStrategy: 'user' as const }
    await send(await start({ policy: byUser, telemetry }), 'add', [{ userId: 'x' }])
    const userId = (_: unknown, context: ExecutionContext) =>
      context.switchToRpc().getData<{ userId: string }[]>()[0]?.userId
    await send(await start({ policy: byUser, telemetry, userId }), 'add', [{ userId: 'x' }])
    expect(keys).toEqual(['ip:127.0.0.1', 'user:x'])
  })

  it('a microservice takes the request from getRequest', async () => {
    const keys: string[] = []
    const telemetry = { onAllowed: (key: string) => void keys.push(key) }
    const getRequest = (context: ExecutionContext) =>
      context.getType() === 'rpc' ? { ip: '198.51.100.7', headers: {} } : undefined
    await send(await start({ telemetry, getRequest }), 'add')
    expect(keys).toEqual(['ip:198.51.100.7'])
  })

  it('a microservice needs no HTTP server', async () => {
    @Module({
      imports: [HaltModule.forRoot({ ...LOCAL, policy: { ...global, limit: 1 } })],
      controllers: [MathController],
      providers: [{ provide: APP_GUARD, useClass: HaltGuard }],
    })
    class Alone {}
    const port = await freePort()
    const options = { transport: Transport.TCP, options: { port, host: '127.0.0.1' } } as const
    const service = await NestFactory.createMicroservice<MicroserviceOptions>(Alone, {
      ...options,
      logger: false,
    })
    onTestFinished(() => service.close())
    await service.listen()
    const client = ClientProxyFactory.create(options)
    onTestFinished(() => client.close())
    expect((await send(client, 'add')).remaining).toBe(0)
    expect((await send(client, 'add')).error).toMatchObject({ error: 'rate_limit_exceeded' })
    const context = await NestFactory.createApplicationContext(Alone, { logger: false })
    expect((await context.get<RateLimiter>(getRateLimiterToken()).consume({ user: '1' })).allowed).toBe(true)
    await context.close()
  })
})
