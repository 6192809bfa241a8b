import type { HaltWarning, Policy, RateLimiter } from '@halt/core'
import { Controller, Get, Injectable, Module } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import { describe, expect, it } from 'vitest'

import {
  getRateLimiterToken,
  HaltModule,
  type HaltModuleOptions,
  type HaltOptionsFactory,
  InjectRateLimiter,
  RateLimit,
} from '../../src/index.ts'
import { countingStore, LOCAL, makeApp, startApp, statuses } from '../app.ts'

const global: Policy = { name: 'global', limit: 2, window: 60 }
const mail: Policy = { name: 'mail', limit: 1, window: 60 }

@Controller()
class Routes {
  @Get('x')
  x() {}

  @Get('mail')
  @RateLimit('mail')
  mail() {}
}

@Injectable()
class Config implements HaltOptionsFactory {
  readonly limit = 1
  createHaltOptions(): HaltModuleOptions {
    return { ...LOCAL, policy: { ...global, limit: this.limit }, policies: { mail } }
  }
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

describe('forRootAsync', () => {
  it('forRootAsync takes options from an asynchronous factory with injected providers', async () => {
    const module = HaltModule.forRootAsync({
      imports: [ConfigModule],
      inject: [Config],
      useFactory: async (config: Config) => ({
        ...LOCAL,
        policy: { ...global, limit: config.limit },
        policies: { mail },
      }),
    })
    const url = await startApp(undefined, { module, controllers: [Routes] })
    expect(await statuses(`${url}/x`, 2)).toEqual([200, 429])
  })

  it('forRootAsync takes options from a new or an existing class', async () => {
    for (const module of [
      HaltModule.forRootAsync({ useClass: Config }),
      HaltModule.forRootAsync({ imports: [ConfigModule], useExisting: Config }),
    ]) {
      const url = await startApp(undefined, { module, controllers: [Routes] })
      expect(await statuses(`${url}/x`, 2)).toEqual([200, 429])
    }
  })

  it('a module of forRootAsync frees the places of requests in flight', async () => {
    const flight = { name: 'flight', limit: 1, algorithm: 'concurrency', ttl: 60 } as const
    const module = HaltModule.forRootAsync({
      useFactory: () => ({ ...LOCAL, policy: flight, policies: { mail } }),
    })
    const url = await startApp(undefined, { module, controllers: [Routes] })
    expect(await statuses(`${url}/x`, 3)).toEqual([200, 200, 200])
  })

  it('forRootAsync throws without a source of options', () => {
    expect(() => HaltModule.forRootAsync({})).toThrow('HALT_E_OPTION')
  })

  it('an error explains the options if the module gets none, or a list as other modules take', async () => {
    expect(() => HaltModule.forRoot(undefined as never)).toThrow('Give { policy } or { limiter }')
    const made = makeApp(undefined, {
      module: HaltModule.forRoot([{ ttl: 60, limit: 10 }] as never),
      controllers: [Routes],
    })
    await expect(made).rejects.toThrow('Put policies into { policy: [ … ] }')
  })

  it('forRootAsync makes the limiters of its names injectable', async () => {
    const module = HaltModule.forRootAsync({ useClass: Config, names: ['mail'] })
    const app = await makeApp(undefined, { module, controllers: [Routes] })
    expect(app.get<RateLimiter>(getRateLimiterToken('mail')).policies).toMatchObject([{ name: 'mail' }])
  })
})

describe('@InjectRateLimiter', () => {
  @Injectable()
  class Mailer {
    readonly main: RateLimiter
    @InjectRateLimiter('mail') readonly mail!: RateLimiter

    constructor(@InjectRateLimiter() main: RateLimiter) {
      this.main = main
    }
  }

  it('@InjectRateLimiter injects the limiter of the module, and one of a name, on the counters of the guard', async () => {
    const app = await makeApp(
      { policy: global, policies: { mail } },
      { controllers: [Routes], providers: [Mailer] },
    )
    const { main, mail: limiter } = app.get(Mailer)
    expect((await main.consume({ user: '1' })).policy).toBe('global')
    expect((await limiter.consume({ ip: '127.0.0.1' })).allowed).toBe(true)
    await app.listen(0, '127.0.0.1')
    const url = await app.getUrl()
    expect(await statuses(`${url}/mail`, 1)).toEqual([429])
    expect(await statuses(`${url}/x`, 1)).toEqual([200])
  })

  it('@InjectRateLimiter finds a policy by its own name, also if the options come later', async () => {
    @Injectable()
    class Own {
      @InjectRateLimiter('global') readonly own!: RateLimiter
      @InjectRateLimiter('mail') readonly mail!: RateLimiter
    }
    const module = HaltModule.forRootAsync({
      useFactory: async () => ({ ...LOCAL, policy: global, policies: { mail } }),
    })
    const app = await makeApp(undefined, { module, controllers: [Routes], providers: [Own] })
    const { own, mail: limiter } = app.get(Own)
    expect((await own.consume({ user: '1' })).policy).toBe('global')
    expect((await limiter.consume({ user: '1' })).policy).toBe('mail')
  })

  it('@InjectRateLimiter fails for a name without a policy', async () => {
    const app = await makeApp({ policy: global }, { providers: [Mailer] })
    await expect(app.init()).rejects.toThrow(/HALT_E_UNKNOWN_POLICY: Mailer: No policy is named "mail"/)
  })
})

describe('forFeature', () => {
  @Controller()
  class MailController {
    @InjectRateLimiter('mail') readonly limiter!: RateLimiter

    @Get('mail')
    @RateLimit('mail')
    mail() {
      return this.limiter.policies[0]?.name
    }
  }

  @Module({ imports: [HaltModule.forFeature({ policies: { mail } })], controllers: [MailController] })
  class MailModule {}

  it('forFeature adds policies to the limiter of the root', async () => {
    const store = countingStore()
    const url = await startApp({ store, policy: global }, { imports: [MailModule] })
    expect(await (await fetch(`${url}/mail`)).text()).toBe('mail')
    expect(await statuses(`${url}/mail`, 1)).toEqual([429])
    expect(store.calls).toBe(2)
  })

  it('forFeature can repeat a policy, but not use the name of another', async () => {
    const repeated = await makeApp({ policy: global, policies: { mail } }, { imports: [MailModule] })
    await repeated.init()
    const other = makeApp(
      { policy: global, policies: { mail: { ...mail, limit: 5 } } },
      { imports: [MailModule] },
    ).then(() => 'made')
    await expect(other).rejects.toMatchObject({ code: 'HALT_E_DUPLICATE_POLICY' })
  })
})

it('two applications in one process keep their counters apart', async () => {
  const urls = [await startApp({ policy: global, policies: { mail } }, { controllers: [Routes] })]
  urls.push(
    await startApp({ policy: { ...global, limit: 1 }, policies: { mail } }, { controllers: [Routes] }),
  )
  expect(await statuses(`${urls[0]}/x`, 3)).toEqual([200, 200, 429])
  expect(await statuses(`${urls[1]}/x`, 2)).toEqual([200, 429])
})

it('a test can override an injected limiter', async () => {
  const fake = { consume: async () => ({ allowed: false }) }
  const testing = await Test.createTestingModule({ imports: [HaltModule.forRoot({ policy: global })] })
    .overrideProvider(getRateLimiterToken())
    .useValue(fake)
    .compile()
  expect(testing.get(getRateLimiterToken())).toBe(fake)
})

it('an application warns of an open one with a policy of the same name on a separate store', async () => {
  const codes: string[] = []
  const options = {
    policy: { ...global, name: 'twice' },
    warn: ({ code }: HaltWarning) => void codes.push(code),
  }
  const first = await makeApp(options)
  await first.init()
  await first.close()
  await (await makeApp(options)).init()
  expect(codes).toEqual([])
  await (await makeApp(options)).init()
  expect(codes).toContain('HALT_W_COUNTER_SPLIT')
})
