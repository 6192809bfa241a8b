import type { Server } from 'node:http'

import type { OnApplicationBootstrap, OnModuleInit } from '@nestjs/common'
import type { DiscoveryService, HttpAdapterHost } from '@nestjs/core'

import { Admission } from './admission.ts'
import { rememberUpgrades } from './calls/peer.ts'
import type { AnyOptions } from './options.ts'
import { placeEnhancers } from './placement.ts'
import { Runtime } from './runtime.ts'
import { checkDecorators } from './start-check.ts'
import { loadTransports } from './transports.ts'

/** What the module provides for guards, interceptors and limiters; it checks the application when that starts. */
export class HaltApplication implements OnModuleInit, OnApplicationBootstrap {
  readonly runtime: Runtime
  readonly admission: Admission
  readonly #discovery: DiscoveryService
  readonly #host: HttpAdapterHost

  constructor(options: AnyOptions, discovery: DiscoveryService, host: HttpAdapterHost) {
    // Now: Nest has found everything, and has not yet looked at what is bound to it.
    placeEnhancers(discovery)
    this.runtime = new Runtime(options)
    this.admission = new Admission(this.runtime)
    this.#discovery = discovery
    this.#host = host
  }

  async onModuleInit(): Promise<void> {
    await loadTransports()
    checkDecorators(this.#discovery, this.runtime)
  }

  // Not before: by now gateways and GraphQL have their listeners.
  onApplicationBootstrap(): void {
    const { httpAdapter } = this.#host
    // A microservice has no HTTP server, or a stand-in for one.
    const server = httpAdapter?.getHttpServer?.() as Server | undefined
    if (typeof server?.listenerCount === 'function') rememberUpgrades(server)
  }
}
