import type { Policy } from '@halt/core'
import { type DynamicModule, Module, type Provider } from '@nestjs/common'
import { DiscoveryModule } from '@nestjs/core'

import { HaltGuard } from '../guard/guard.ts'
import { HaltInterceptor } from '../guard/interceptor.ts'
import {
  checkModuleOptions,
  type HaltModuleAsyncOptions,
  type HaltModuleOptions,
} from '../options/options.ts'
import type { NestPolicies, NestRequest } from '../options/policy.ts'
import { limiterProvider, optionsProviders, rootProviders } from './providers.ts'
import { APPLICATION, getRateLimiterToken, OPTIONS, wantedNames } from '../base/tokens.ts'

/** Options of {@link HaltModule.forFeature}. */
export interface HaltFeatureOptions<R = NestRequest> {
  /** Named policies, added to the policies of `forRoot`: for `@RateLimit('name')` everywhere, `@InjectRateLimiter('name')` here. */
  readonly policies: Readonly<Record<string, NestPolicies<R>>>
}

/** Rate limiting for a Nest application. The module is global: its exports are available everywhere. */
@Module({})
export class HaltModule {
  /**
   * Sets up the limiter. With `HaltGuard` as `APP_GUARD`, `policy` counts every call. Decorators name one of `policies`.
   *
   * @example
   * HaltModule.forRoot({ policy: presets.PUBLIC_API, policies: { auth: presets.AUTH_ENDPOINTS } })
   */
  static forRoot<R = NestRequest>(options: HaltModuleOptions<R>): DynamicModule {
    if (typeof options !== 'object' || options === null) checkModuleOptions(options)
    const names = Object.keys(options.policies ?? {})
    return root([{ provide: OPTIONS, useValue: options }], names)
  }

  /** Sets up the limiter by options that depend on injected providers. */
  static forRootAsync<R = NestRequest>(options: HaltModuleAsyncOptions<R>): DynamicModule {
    return root(optionsProviders(options), options.names ?? [], options.imports)
  }

  /** Adds named policies, in the module that uses them. */
  static forFeature<R = NestRequest>({ policies }: HaltFeatureOptions<R>): DynamicModule {
    const limiters = Object.entries(policies).map(([name, list]) =>
      limiterProvider(name, ({ runtime }) => {
        runtime.named.add(name, list as Policy)
        return runtime.limiterFor(name)
      }),
    )
    return { module: HaltFeatureModule, providers: limiters, exports: limiters.map(({ provide }) => provide) }
  }
}

function root(
  options: Provider[],
  names: readonly string[],
  imports: DynamicModule['imports'] = [],
): DynamicModule {
  // Nest reads the getters after all classes are loaded. Only then are all wanted names known.
  const all = (): string[] => [...new Set([...names, ...wantedNames()])]
  return {
    module: HaltModule,
    global: true,
    imports: [DiscoveryModule, ...imports],
    get providers() {
      return [...options, ...rootProviders(all())]
    },
    get exports() {
      return [APPLICATION, HaltGuard, HaltInterceptor, ...[undefined, ...all()].map(getRateLimiterToken)]
    },
  }
}

/** The module of {@link HaltModule.forFeature}. */
@Module({})
class HaltFeatureModule {}
