import { HaltError } from '@halt/core'

import { type Exports, importModule, type ImportFailure } from '../../import-module.ts'
import { expressRoutes } from './express.ts'
import { fastifyRoutes } from './fastify.ts'
import { honoRoutes } from './hono.ts'
import type { AppRoutes } from './route.ts'

const EXPORT = 'Export the application before it listens: export default app, or a function that makes it.'
const NAMES = ['default', 'app', 'server', 'createApp', 'buildApp']

/**
 * Loads an application from a module and lists its routes. The module exports the application as `default`, `app` or `server`, or a
 * function without parameters that makes it.
 *
 * @throws HaltError `HALT_E_APP_MODULE`
 */
export async function loadApp(path: string, cwd: string): Promise<AppRoutes> {
  const module = await load(path, cwd)
  const nested = module['default'] as Readonly<Record<string, unknown>> | undefined
  for (const name of NAMES) {
    // A CommonJS module has its exports in `default`.
    for (const exported of [module[name], name === 'default' ? undefined : nested?.[name]]) {
      const routes = await routesOf(exported, path)
      if (routes !== undefined) return routes
    }
  }
  throw failure(path, 'exports no application of Express, Fastify, Hono or Nest')
}

async function load(path: string, cwd: string): Promise<Exports> {
  try {
    return await importModule(path, cwd)
  } catch (error) {
    const { message, fix, cause } = error as ImportFailure
    throw failure(path, `cannot be loaded: ${message}`, cause, fix)
  }
}

async function routesOf(exported: unknown, path: string): Promise<AppRoutes | undefined> {
  const known = await knownRoutes(await exported)
  if (known !== undefined || typeof exported !== 'function' || exported.length > 0) return known
  try {
    return await knownRoutes(await (exported as () => unknown)())
  } catch (error) {
    throw failure(
      path,
      `has a function that threw: ${error instanceof Error ? error.message : String(error)}`,
      error,
    )
  }
}

async function knownRoutes(app: unknown): Promise<AppRoutes | undefined> {
  return nestRoutes(app) ?? expressRoutes(app) ?? (await fastifyRoutes(app)) ?? honoRoutes(app)
}

/** Nest keeps its guards where nobody outside sees them. */
function nestRoutes(app: unknown): AppRoutes | undefined {
  const { getHttpAdapter } = (app ?? {}) as { readonly getHttpAdapter?: unknown }
  if (typeof app !== 'object' || typeof getHttpAdapter !== 'function') return undefined
  return {
    framework: 'Nest',
    routes: [],
    notes: [
      'Nest does not tell from outside which routes a guard protects. HaltModule looks from inside: it warns at the start if no guard counts (HALT_W_NO_GUARD).',
    ],
  }
}

function failure(path: string, why: string, cause?: unknown, fix = EXPORT): HaltError {
  return new HaltError(
    'HALT_E_APP_MODULE',
    `${path} ${why}.`,
    fix,
    cause === undefined ? undefined : { cause },
  )
}
