import 'reflect-metadata'
import type { Policy, RateLimiterOptions } from '@halt/core'
import { HaltGuard, HaltModule } from '@halt/nest'
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo'
import { type DynamicModule, type INestApplication, Module } from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { GraphQLModule } from '@nestjs/graphql'
import { type MicroserviceOptions, Transport } from '@nestjs/microservices'
import { WsAdapter } from '@nestjs/platform-ws'

import { ApiController } from './api.controller.ts'
import { ChatGateway } from './chat.gateway.ts'
import { DemoAuthGuard, type MaybeUser } from './demo-auth.ts'
import { EVERYBODY, LOGIN, PLANS } from './policies.ts'
import { QuotesResolver } from './quotes.resolver.ts'

/** What the app does not choose itself. */
export interface AppOptions {
  /** Where the counters are. */
  readonly store: RateLimiterOptions['store']
  /** The longest that a request waits for it. Default 100 ms. */
  readonly storeTimeout?: RateLimiterOptions['storeTimeout']
  /** Where other services send messages, on this machine only. */
  readonly servicePort: number
}

// One list for each plan, made once: each is compiled when it is first met.
const COUNTED: Readonly<Record<keyof typeof PLANS, readonly Policy[]>> = {
  free: [EVERYBODY, PLANS.free],
  pro: [EVERYBODY, PLANS.pro],
}

/** A small API behind Halt: one limit for everybody, a tight one for passwords, plans for users. */
@Module({})
class AppModule {
  static with({ store, storeTimeout }: AppOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [
        HaltModule.forRoot({
          store,
          storeTimeout,
          // Local addresses are exempt by default; here every client is local.
          exemptPrivateIps: false,
          policy: ({ user }: MaybeUser) => (user === undefined ? EVERYBODY : COUNTED[user.plan]),
          policies: { login: LOGIN },
        }),
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          autoSchemaFile: true,
          graphiql: false,
        }),
      ],
      controllers: [ApiController],
      providers: [
        QuotesResolver,
        ChatGateway,
        // In this order: who asks is known before it is counted.
        { provide: APP_GUARD, useClass: DemoAuthGuard },
        { provide: APP_GUARD, useClass: HaltGuard },
      ],
    }
  }
}

/** Makes the app: HTTP, GraphQL at `/graphql`, a WebSocket at `/chat`, and TCP for other services. */
export async function createApp(options: AppOptions): Promise<INestApplication> {
  const app = await NestFactory.create(AppModule.with(options), {
    logger: ['error', 'warn'],
    abortOnError: false,
  })
  app.useWebSocketAdapter(new WsAdapter(app))
  app.connectMicroservice<MicroserviceOptions>(
    { transport: Transport.TCP, options: { host: '127.0.0.1', port: options.servicePort } },
    { inheritAppConfig: true },
  )
  return app
}
