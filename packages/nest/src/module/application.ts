import type { Server } from 'node:http'

import { forgetDefaultStore } from '@halt/core/http'
import type { OnApplicationBootstrap, OnModuleDestroy, OnModuleInit } from '@nestjs/common'
import type { ApplicationConfig, DiscoveryService, HttpAdapterHost, ModulesContainer } from '@nestjs/core'

import { CallGuard } from '../guard/call-guard.ts'
import { rememberUpgrades } from '../calls/peer.ts'
import { handlerClassesOf } from '../base/discovery.ts'
import { checkGuard, isGuardGlobal } from '../startup/guard-check.ts'
import type { AnyOptions } from '../options/options.ts'
import { orderEnhancers } from '../startup/enhancer-order.ts'
import { Runtime } from '../guard/runtime.ts'
import { checkDecorators } from '../startup/decorator-check.ts'
import { loadTransports } from '../refusal/transports.ts'

/** The services of Nest that describe an application. */
interface NestServices {
  readonly discovery: DiscoveryService
  readonly modules: ModulesContainer
  readonly config: ApplicationConfig
  readonly host: HttpAdapterHost
}

/** The provider that guards, interceptors and limiters share. It checks the application when that starts. */
export class HaltApplication implements OnModuleInit, OnModuleDestroy, OnApplicationBootstrap {
  readonly runtime: Runtime
  readonly callGuard: CallGuard
  readonly #nest: NestServices

  constructor(options: AnyOptions, nest: NestServices) {
    // Do it now: Nest has discovered all classes, and has not yet read the enhancers bound to them.
    orderEnhancers(nest.discovery)
    this.runtime = new Runtime(options)
    this.callGuard = new CallGuard(this.runtime)
    this.#nest = nest
  }

  onModuleDestroy(): void {
    forgetDefaultStore(this.runtime.limiter)
  }

  async onModuleInit(): Promise<void> {
    await loadTransports()
    const { discovery, config } = this.#nest
    checkDecorators(discovery, this.runtime, isGuardGlobal(config))
  }

  // Not earlier, because gateways and GraphQL add their listeners before this hook.
  onApplicationBootstrap(): void {
    const { discovery, modules, config, host } = this.#nest
    // A microservice has no HTTP server, or a placeholder.
    const server = host.httpAdapter?.getHttpServer?.() as Server | undefined
    if (typeof server?.listenerCount !== 'function') return
    rememberUpgrades(server)
    checkGuard(handlerClassesOf(discovery), modules, config, this.runtime)
  }
}
