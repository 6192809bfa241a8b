import 'reflect-metadata'
import type { AddressInfo } from 'node:net'

import type { Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'
import type { DynamicModule, INestApplication, Provider, Type } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Test } from '@nestjs/testing'
import { onTestFinished } from 'vitest'

import { HaltGuard, HaltModule, type HaltModuleOptions } from '../src/index.ts'

/** The platforms that every HTTP test runs on. */
export const platforms = ['express', 'fastify'] as const
export type Platform = (typeof platforms)[number]

export interface AppParts {
  readonly platform?: Platform
  readonly controllers?: Type[]
  readonly providers?: Provider[]
  readonly imports?: (DynamicModule | Type)[]
  /** Default true: HaltGuard as APP_GUARD. */
  readonly guarded?: boolean
  readonly module?: DynamicModule
  readonly before?: (app: INestApplication) => unknown
  readonly trustProxy?: boolean
}

/** Without this option, requests from localhost are not counted. */
export const LOCAL = { exemptPrivateIps: false } as const

/** Compiles an application with HaltModule, and closes it when the test ends. */
export async function makeApp(
  options: HaltModuleOptions<never> | undefined,
  parts: AppParts = {},
): Promise<INestApplication> {
  const {
    platform = 'express',
    controllers = [],
    providers = [],
    imports = [],
    guarded = true,
    module,
    before,
    trustProxy = false,
  } = parts
  const local = options?.limiter === undefined ? LOCAL : {}
  const root = module ?? (options && HaltModule.forRoot({ ...local, ...options } as HaltModuleOptions))
  const testing = await Test.createTestingModule({
    imports: [...(root === undefined ? [] : [root]), ...imports],
    controllers,
    providers: [...providers, ...(guarded ? [{ provide: APP_GUARD, useClass: HaltGuard }] : [])],
  }).compile()
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter({ trustProxy })
  if (adapter instanceof ExpressAdapter && trustProxy) adapter.set('trust proxy', true)
  const app = testing.createNestApplication(adapter, { logger: false })
  onTestFinished(() => app.close())
  await before?.(app)
  return app
}

/** Starts an application on a free port, and gives its URL. */
export async function startApp(
  options: HaltModuleOptions<never> | undefined,
  parts: AppParts = {},
): Promise<string> {
  const app = await makeApp(options, parts)
  await app.listen(0, '127.0.0.1')
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`
}

/** A store that counts its evaluations. */
export function countingStore(): Store & { calls: number } {
  const inner = new InMemoryStore()
  const store = {
    calls: 0,
    kind: 'memory',
    evaluate(group: Parameters<Store['evaluate']>[0]) {
      store.calls++
      return inner.evaluate(group)
    },
    forget: (cells: Parameters<Store['forget']>[0]) => inner.forget(cells),
  }
  return store
}

/** The statuses of several requests, one after another. */
export async function statuses(url: string, times: number, init?: RequestInit): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < times; i++) found.push((await fetch(url, init)).status)
  return found
}
