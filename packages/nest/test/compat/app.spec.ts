// Runs on Nest 11 with Jest and on Nest 12 with Vitest, from the packed package, so it uses only globals.
import 'reflect-metadata'
import { presets } from '@halt/core'
import {
  ApiRateLimited,
  HaltGuard,
  HaltModule,
  InjectRateLimiter,
  RateLimit,
  RateLimitDecision,
  RateLimitException,
  SkipRateLimit,
} from '@halt/nest'
import { ApolloDriver } from '@nestjs/apollo'
import { Catch, Controller, Get, Module, Post, Sse } from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { GraphQLModule, Int, Mutation, Query, Resolver } from '@nestjs/graphql'
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { WsAdapter } from '@nestjs/platform-ws'
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { Test } from '@nestjs/testing'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { firstValueFrom, of } from 'rxjs'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'

declare const describe: any, it: any, expect: any, afterEach: any

const window = { window: 60, exemptPrivateIps: false } as const

@Controller()
class AppController {
  @Get('hello')
  hello(@RateLimitDecision() decision: any) {
    return { remaining: decision.remaining }
  }

  @Post('login')
  @RateLimit('auth')
  @ApiRateLimited()
  login() {
    return 'in'
  }

  @Get('free')
  @SkipRateLimit()
  free() {
    return 'free'
  }

  @Sse('events')
  @RateLimit({ name: 'events', limit: 1, ...window })
  events() {
    return of({ data: 'one' })
  }

  @MessagePattern('add')
  @RateLimit({ name: 'rpc', limit: 1, ...window }, { override: true })
  add(numbers: number[]) {
    return numbers.reduce((a, b) => a + b, 0)
  }
}

@Resolver()
class AppResolver {
  @Query(() => Int)
  one() {
    return 1
  }

  @Mutation(() => Int)
  add(@RateLimitDecision() decision: any) {
    return decision.remaining
  }
}

@WebSocketGateway()
@RateLimit()
class AppGateway {
  @SubscribeMessage('say')
  say(_client: unknown, text: string) {
    return { event: 'said', data: text }
  }
}

class Service {
  limiter!: { readonly policies: readonly { readonly name: string }[] }
}
InjectRateLimiter('auth')(Service.prototype, 'limiter')

const halt = HaltModule.forRoot({
  exemptPrivateIps: false,
  policy: { name: 'global', limit: 3, window: 60 },
  policies: { auth: { ...presets.AUTH_ENDPOINTS, burst: 2 } },
})
const graphql = GraphQLModule.forRoot({ driver: ApolloDriver, autoSchemaFile: true } as never)

@Module({
  imports: [halt, graphql],
  controllers: [AppController],
  providers: [AppResolver, AppGateway, Service, { provide: APP_GUARD, useClass: HaltGuard }],
})
class AppModule {}

@Module({
  imports: [halt],
  controllers: [AppController],
  providers: [{ provide: APP_GUARD, useClass: HaltGuard }],
})
class PlainModule {}

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const app of open.splice(0).reverse()) await app.close()
})

async function start(prepare: (app: any) => void = () => {}): Promise<{ url: string; app: any }> {
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false })
  prepare(app)
  open.push(app)
  await app.listen(0, '127.0.0.1')
  return { url: `http://127.0.0.1:${app.getHttpServer().address().port}`, app }
}

async function statuses(url: string, times: number, init?: RequestInit): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < times; i++) found.push((await fetch(url, init)).status)
  return found
}

const gql = (url: string, query: string): Promise<any> =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  }).then(response => response.json())

describe('HTTP', () => {
  it('the guard counts on Express', async () => {
    const { url } = await start()
    expect(await statuses(`${url}/hello`, 4)).toEqual([200, 200, 200, 429])
    expect(await statuses(`${url}/free`, 2)).toEqual([200, 200])
    const refused = await fetch(`${url}/hello`)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded' })
  })

  it('the guard counts on Fastify', async () => {
    const app = await NestFactory.create(PlainModule, new FastifyAdapter() as never, { logger: false })
    open.push(app)
    await app.listen(0, '127.0.0.1')
    const url = await app.getUrl()
    expect(await statuses(`${url}/login`, 3, { method: 'POST' })).toEqual([201, 201, 429])
    expect(await statuses(`${url}/hello`, 2)).toEqual([200, 429])
  })

  it('a decorated route is counted by its decorator alone', async () => {
    const testing = await Test.createTestingModule({
      imports: [halt],
      controllers: [AppController],
    }).compile()
    const app = testing.createNestApplication({ logger: false })
    open.push(app)
    await app.listen(0, '127.0.0.1')
    const url = await app.getUrl()
    expect(await statuses(`${url}/hello`, 1)).toEqual([500])
    expect(await statuses(`${url}/login`, 3, { method: 'POST' })).toEqual([201, 201, 429])
    expect(await statuses(`${url}/events`, 2)).toEqual([200, 429])
  })

  it('Halt warns of an application without the guard, and not of one that registers it in any way', async () => {
    class Open {}
    const method = { value() {}, configurable: true, writable: true }
    Object.defineProperty(Open.prototype, 'get', method)
    Get('open')(Open.prototype, 'get', Object.getOwnPropertyDescriptor(Open.prototype, 'get') as never)
    Controller()(Open)
    const found = async (providers: any[], prepare: (app: any) => void = () => {}): Promise<string[]> => {
      const codes: string[] = []
      const policy = { name: 'open', limit: 1, window: 60 }
      const warn = ({ code }: { code: string }) => void codes.push(code)
      const imports = [HaltModule.forRoot({ policy, exemptPrivateIps: false, warn })]
      const testing = await Test.createTestingModule({ imports, controllers: [Open], providers }).compile()
      const app = testing.createNestApplication({ logger: false })
      prepare(app)
      open.push(app)
      await app.listen(0, '127.0.0.1')
      expect(await statuses(`${await app.getUrl()}/open`, 2)).toEqual([200, codes.length === 0 ? 429 : 200])
      return codes
    }
    expect(await found([])).toEqual(['HALT_W_NO_GUARD'])
    expect(await found([{ provide: APP_GUARD, useClass: HaltGuard }])).toEqual([])
    expect(await found([{ provide: APP_GUARD, useExisting: HaltGuard }])).toEqual([])
    expect(await found([], app => app.useGlobalGuards(app.get(HaltGuard)))).toEqual([])
  })

  it('the module injects limiters', async () => {
    const { app } = await start()
    expect(app.get(Service).limiter.policies[0].name).toBe('auth_endpoints')
  })

  it('the module refuses an unknown name at start', async () => {
    class Typo {}
    const method = { value() {}, configurable: true, writable: true }
    Object.defineProperty(Typo.prototype, 'get', method)
    Get()(Typo.prototype, 'get', Object.getOwnPropertyDescriptor(Typo.prototype, 'get') as never)
    RateLimit('auht')(Typo.prototype, 'get', Object.getOwnPropertyDescriptor(Typo.prototype, 'get') as never)
    Controller()(Typo)
    const testing = await Test.createTestingModule({ imports: [halt], controllers: [Typo] }).compile()
    const app = testing.createNestApplication({ logger: false })
    await expect(app.init()).rejects.toMatchObject({ code: 'HALT_E_UNKNOWN_POLICY' })
  })

  it('a controller compiles for a unit test without the module', async () => {
    const testing = await Test.createTestingModule({ controllers: [AppController] }).compile()
    expect(testing.get(AppController).login()).toBe('in')
  })

  it('a decorated route documents the refusal', async () => {
    const { app } = await start()
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build())
    expect(paths['/login']?.post?.responses['429']).toMatchObject({ description: 'Too many requests.' })
  })

  it('a filter of RateLimitException catches the refusals of the guard', async () => {
    const caught: RateLimitException[] = []
    class Filter {
      catch(exception: RateLimitException, host: any) {
        caught.push(exception)
        host.switchToHttp().getResponse().status(exception.getStatus()).send('mine')
      }
    }
    Catch(RateLimitException)(Filter)
    const { url } = await start(app => app.useGlobalFilters(new Filter()))
    expect(await statuses(`${url}/hello`, 4)).toEqual([200, 200, 200, 429])
    expect(await (await fetch(`${url}/hello`)).text()).toBe('mine')
    expect(caught).toHaveLength(2)
  })
})

describe('other transports', () => {
  it('a GraphQL request charges each mutation', async () => {
    const { url } = await start()
    const { errors } = await gql(url, 'mutation { a: add b: add c: add d: add }')
    expect(errors).toHaveLength(1)
    expect(errors[0].extensions).toMatchObject({ code: 'TOO_MANY_REQUESTS', error: 'rate_limit_exceeded' })
  })

  it('a gateway charges each message of a socket.io client', async () => {
    const { url } = await start(app => app.useWebSocketAdapter(new IoAdapter(app)))
    const client = io(url, { transports: ['websocket'] })
    open.push(client)
    const events: string[] = []
    client.onAny((event: string, data: any) => events.push(data?.error ?? event))
    for (let i = 0; i < 5; i++) client.emit('say', 'hi')
    while (events.length < 5) await new Promise(resolve => setTimeout(resolve, 10))
    expect(events.sort()).toEqual(['rate_limit_exceeded', 'rate_limit_exceeded', 'said', 'said', 'said'])
  })

  it('a gateway charges each message of a plain WebSocket', async () => {
    const { url } = await start(app => app.useWebSocketAdapter(new WsAdapter(app)))
    const client = new WebSocket(url.replace('http', 'ws'))
    open.push(client)
    const events: string[] = []
    client.on('message', (data: Buffer) => events.push(JSON.parse(data.toString()).event))
    await new Promise(resolve => client.once('open', resolve))
    for (let i = 0; i < 5; i++) client.send('{"event":"say","data":"hi"}')
    while (events.length < 5) await new Promise(resolve => setTimeout(resolve, 10))
    expect(events.sort()).toEqual(['exception', 'exception', 'said', 'said', 'said'])
  })

  it('a microservice charges each call', async () => {
    const port = 30_000 + Math.floor(Math.random() * 20_000)
    const { app } = await start(application => {
      application.connectMicroservice(
        { transport: Transport.TCP, options: { port } },
        { inheritAppConfig: true },
      )
    })
    await app.startAllMicroservices()
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } })
    open.push(client)
    expect(await firstValueFrom(client.send('add', [1, 2]))).toBe(3)
    await expect(firstValueFrom(client.send('add', [1, 2]))).rejects.toMatchObject({
      error: 'rate_limit_exceeded',
    })
  })
})
