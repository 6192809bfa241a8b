import { HaltError, type RateLimiter } from '@halt/core'
import type { FactoryProvider, Provider } from '@nestjs/common'
import {
  APP_INTERCEPTOR,
  ApplicationConfig,
  DiscoveryService,
  HttpAdapterHost,
  ModulesContainer,
} from '@nestjs/core'

import { HaltApplication } from './application.ts'
import { HaltGuard } from '../guard/guard.ts'
import { HaltInterceptor } from '../guard/interceptor.ts'
import type { AnyOptions, HaltModuleAsyncOptions, HaltOptionsFactory } from '../options/options.ts'
import { APPLICATION, getRateLimiterToken, OPTIONS } from '../base/tokens.ts'

/** The providers of the module, whatever the source of its options is. @param names the names of injectable limiters */
export function rootProviders(names: readonly string[]): Provider[] {
  return [
    HaltGuard,
    HaltInterceptor,
    {
      provide: APPLICATION,
      inject: [OPTIONS, DiscoveryService, ModulesContainer, ApplicationConfig, HttpAdapterHost],
      useFactory: (
        options: AnyOptions,
        discovery: DiscoveryService,
        modules: ModulesContainer,
        config: ApplicationConfig,
        host: HttpAdapterHost,
      ) => new HaltApplication(options, { discovery, modules, config, host }),
    },
    {
      provide: APP_INTERCEPTOR,
      inject: [APPLICATION],
      // Nest omits an undefined interceptor. Provide one only if it is needed, because it costs time on every call.
      useFactory: (application: HaltApplication) =>
        application.runtime.handlerGuards.makeGuard(Object, undefined)?.needsResponse
          ? new HaltInterceptor()
          : undefined,
    },
    limiterProvider(undefined, ({ runtime }) => runtime.limiter),
    ...names.map(name => limiterProvider(name, ({ runtime }) => runtime.limiterOnDemand(name))),
  ]
}

/** Makes a limiter injectable. */
export function limiterProvider(
  name: string | undefined,
  make: (application: HaltApplication) => RateLimiter,
): FactoryProvider {
  return { provide: getRateLimiterToken(name), inject: [APPLICATION], useFactory: make }
}

/** The providers of options that depend on injected providers. @throws HaltError if they have no source */
export function optionsProviders<R>({
  inject,
  useFactory,
  useClass,
  useExisting,
}: HaltModuleAsyncOptions<R>): Provider[] {
  if (useFactory !== undefined)
    return [
      {
        provide: OPTIONS,
        inject: [...(inject ?? [])],
        useFactory: useFactory as FactoryProvider['useFactory'],
      },
    ]
  const source = useExisting ?? useClass
  if (source === undefined) {
    throw new HaltError(
      'HALT_E_OPTION',
      'HaltModule.forRootAsync has no source of options.',
      'Give useFactory, useClass or useExisting.',
    )
  }
  const options: FactoryProvider = {
    provide: OPTIONS,
    inject: [source],
    useFactory: (factory: HaltOptionsFactory<R>) => factory.createHaltOptions(),
  }
  return useClass === undefined || useExisting !== undefined ? [options] : [useClass, options]
}
