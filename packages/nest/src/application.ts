import type { Server } from 'node:http'

import { forgetDefaultStore } from '@halt/core/http'
import type { OnApplicationBootstrap, OnModuleDestroy, OnModuleInit } from '@nestjs/common'
import type { ApplicationConfig, DiscoveryService, HttpAdapterHost, ModulesContainer } from '@nestjs/core'

import { Admission } from './admission.ts'
import { rememberUpgrades } from './calls/peer.ts'
import { hostsOf } from './discovered.ts'
import { checkGuard, isGuardGlobal } from './guard-check.ts'
import type { AnyOptions } from './options.ts'
import { placeEnhancers } from './placement.ts'
import { Runtime } from './runtime.ts'
import { checkDecorators } from './start-check.ts'
import { loadTransports } from './transports.ts'

/** What Nest tells of an application. */
interface Surroundings {
  readonly discovery: DiscoveryService
  readonly modules: ModulesContainer
  readonly config: ApplicationConfig
  readonly host: HttpAdapterHost
}

/** What the module provides for guards, interceptors and limiters; it checks the application when that starts. */
export class HaltApplication implements OnModuleInit, OnModuleDestroy, OnApplicationBootstrap {
  readonly runtime: Runtime
  readonly admission: Admission
  readonly #surroundings: Surroundings

  constructor(options: AnyOptions, surroundings: Surroundings) {
    // Now: Nest has found everything, and has not yet looked at what is bound to it.
    placeEnhancers(surroundings.discovery)
    this.runtime = new Runtime(options)
    this.admission = new Admission(this.runtime)
    this.#surroundings = surroundings
  }

  onModuleDestroy(): void {
    forgetDefaultStore(this.runtime.limiter)
  }

  async onModuleInit(): Promise<void> {
    await loadTransports()
    const { discovery, config } = this.#surroundings
    checkDecorators(discovery, this.runtime, isGuardGlobal(config))
  }

  // Not before: by now gateways and GraphQL have their listeners.
  onApplicationBootstrap(): void {
    const { discovery, modules, config, host } = this.#surroundings
    // A microservice has no HTTP server, or a stand-in for one.
    const server = host.httpAdapter?.getHttpServer?.() as Server | undefined
    if (typeof server?.listenerCount !== 'function') return
    rememberUpgrades(server)
    checkGuard(hostsOf(discovery), modules, config, this.runtime)
  }
}
