import 'reflect-metadata'
import type { Policy, RateLimiter } from '@halt/core'
import {
  Accounts,
  type AppOptions,
  EVERYBODY,
  LOGIN,
  metricsPage,
  MODEL,
  Operator,
  OPERATOR,
  PENALTY,
  type Plan,
  userLimits,
} from '@halt/demo-kit'
import { getRateLimiterToken, HaltGuard, HaltModule } from '@halt/nest'
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo'
import { type DynamicModule, type INestApplication, Module } from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { GraphQLModule } from '@nestjs/graphql'
import { type MicroserviceOptions, Transport } from '@nestjs/microservices'
import { WsAdapter } from '@nestjs/platform-ws'

import { ApiController } from './api.controller.ts'
import { ChatGateway } from './chat.gateway.ts'
import { DemoAuthGuard, type MaybeUser } from './demo-auth.ts'
import { ModelController } from './model.controller.ts'
import { OperatorController } from './operator.controller.ts'
import { QuotesResolver } from './quotes.resolver.ts'

// One list per plan, made once, because each list is compiled when the limiter first sees it.
const ofUsers = userLimits(({ user }: MaybeUser) => user?.company)
const COUNTED: Readonly<Record<Plan, readonly Policy<MaybeUser>[]>> = {
  free: [EVERYBODY, ...ofUsers.free],
  pro: [EVERYBODY, ...ofUsers.pro],
}

/** A small API with limits for all clients, for passwords, for users and their companies, and for a model. */
@Module({})
class AppModule {
  static with({ store, storeTimeout, accounts, operator }: AppOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [
        HaltModule.forRoot({
          store,
          storeTimeout,
          telemetry: operator?.telemetry,
          control: operator?.control,
          // Private addresses are exempt by default, and here every client is local.
          exemptPrivateIps: false,
          // The refusal names the policy.
          errorFormat: 'problem',
          policy: (request: MaybeUser) =>
            request.user === undefined ? EVERYBODY : COUNTED[request.user.plan],
          policies: { login: LOGIN, model: MODEL },
          penalty: PENALTY,
        }),
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          autoSchemaFile: true,
          graphiql: false,
        }),
      ],
      controllers: [ApiController, ModelController, ...(operator === undefined ? [] : [OperatorController])],
      providers: [
        QuotesResolver,
        ChatGateway,
        { provide: Accounts, useValue: accounts },
        { provide: Operator, useValue: operator },
        // In this order, so that the user is known before the guard counts the request.
        { provide: APP_GUARD, useClass: DemoAuthGuard },
        { provide: APP_GUARD, useClass: HaltGuard },
      ],
    }
  }
}

/** Makes the app: HTTP, GraphQL at `/graphql`, a WebSocket at `/chat`, and TCP for other services. */
export async function createApp(options: AppOptions, servicePort: number): Promise<INestApplication> {
  const app = await NestFactory.create(AppModule.with(options), {
    logger: ['error', 'warn'],
    abortOnError: false,
  })
  const { operator } = options
  if (operator !== undefined) {
    const limiterOf = (name?: string): RateLimiter => app.get(getRateLimiterToken(name), { strict: false })
    const ofUsers = { limiter: limiterOf(), plans: COUNTED }
    app.use(metricsPage(operator))
    app.use(OPERATOR, operator.page([ofUsers, limiterOf('login'), limiterOf('model')]).node)
  }
  app.useWebSocketAdapter(new WsAdapter(app))
  app.connectMicroservice<MicroserviceOptions>(
    { transport: Transport.TCP, options: { host: '127.0.0.1', port: servicePort } },
    { inheritAppConfig: true },
  )
  return app
}
