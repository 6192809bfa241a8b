// What each folder and each package may import. `node tools/print-layers.mjs` prints the rules of lint from these lists.

/**
 * The folders of packages/core/src that make the kernel, in order. Each imports only the folders before it, and no wing.
 *
 * @type {readonly string[]}
 */
export const kernel = [
  'base',
  'algorithms',
  'store',
  'request',
  'policy',
  'check',
  'charge',
  'reserve',
  'limiter',
]

/**
 * The other folders of packages/core/src. Each imports the kernel up to the folder in `kernel` (default: all of it), and the wings
 * in `wings`. The wings import `misuse` as `#misuse`, which is empty in bundles.
 *
 * @type {Readonly<Record<string, { readonly kernel?: string; readonly wings: readonly string[] }>>}
 */
export const wings = {
  telemetry: { wings: [] },
  misuse: { wings: [] },
  presets: { kernel: 'policy', wings: [] },
  resilience: { wings: [] },
  lease: { wings: ['resilience'] },
  databases: { wings: ['resilience', 'lease'] },
  inspect: { wings: [] },
  waiting: { wings: ['telemetry'] },
  managers: { wings: ['resilience', 'telemetry'] },
  'rate-limiter': { wings: ['resilience', 'lease', 'inspect', 'telemetry', 'waiting'] },
  http: { wings: ['telemetry', 'waiting'] },
  testing: { wings: ['resilience'] },
}

const ADAPTER = ['@halt/core', '@halt/core/http', '@halt/store-memory']
const ADAPTER_SAYS = `An adapter imports ${ADAPTER.join(', ')} and its framework.`
const STORE = ['@halt/core', '@halt/core/lease', '@halt/core/resilience', '@halt/core/store']
const STORE_SAYS = 'A store imports only the entries of @halt/core.'
const TELEMETRY_SAYS = 'A telemetry imports @halt/core and the library that it reports to.'

/**
 * What the other packages may import beside their own files. `layers` are the folders of a package in order, each of which imports
 * only the folders before it.
 *
 * @type {Readonly<Record<string, { readonly may: readonly string[]; readonly says: string; readonly layers?: readonly string[] }>>}
 */
export const packages = {
  conformance: {
    may: ['@halt/core', '@halt/core/*'],
    says: 'The suites import only the entries of @halt/core.',
  },
  control: {
    may: ['@halt/core/gate', '@halt/core/telemetry'],
    says: 'Control imports only @halt/core/gate and @halt/core/telemetry.',
  },
  'store-memory': { may: [...STORE, '@halt/core/counters'], says: STORE_SAYS },
  'store-mysql': { may: STORE, says: STORE_SAYS },
  'store-postgres': { may: STORE, says: STORE_SAYS },
  'store-redis': { may: STORE, says: STORE_SAYS },
  'store-sqlite': {
    may: [...STORE, 'node:fs', 'node:timers/promises'],
    says: 'The SQLite store imports only the entries of @halt/core, and Node modules that Bun and Deno have too.',
  },
  'store-durable-objects': { may: STORE, says: STORE_SAYS },
  express: { may: [...ADAPTER, 'express', 'express-serve-static-core', 'node:*'], says: ADAPTER_SAYS },
  fastify: { may: [...ADAPTER, 'fastify', 'node:*'], says: ADAPTER_SAYS },
  fetch: { may: ADAPTER, says: ADAPTER_SAYS },
  hono: { may: [...ADAPTER, 'hono', 'hono/**'], says: ADAPTER_SAYS },
  nest: {
    may: [
      ...ADAPTER,
      ...['common', 'core', 'websockets'].flatMap(name => [`@nestjs/${name}`, `@nestjs/${name}/**`]),
      '@nestjs/microservices',
      'rxjs',
      'rxjs/**',
      'reflect-metadata',
      'node:*',
    ],
    says: ADAPTER_SAYS,
  },
  _template: { may: [...ADAPTER, 'node:*'], says: ADAPTER_SAYS },
  client: {
    may: ['@halt/core', '@halt/core/http', 'structured-headers'],
    says: 'The client imports @halt/core, @halt/core/http and structured-headers.',
  },
  'ai-sdk': {
    may: ['@halt/core', '@halt/core/http', 'ai'],
    says: 'The middleware imports @halt/core, @halt/core/http and the types of ai.',
  },
  tools: {
    may: ['@halt/core', '@halt/core/gate', '@halt/core/http'],
    says: 'The guard of tools imports the entries of @halt/core, and no framework.',
  },
  operator: {
    may: ['#place', '@halt/control', '@halt/core', '@halt/core/http', '@halt/core/store', 'node:*'],
    says: "The operator's page imports @halt/control and the entries of @halt/core.",
  },
  cli: {
    may: [
      '@halt/control',
      '@halt/core',
      '@halt/core/store',
      '@halt/store-memory',
      '@halt/store-mysql',
      '@halt/store-postgres',
      '@halt/store-redis',
      '@halt/store-sqlite',
      'ioredis',
      'node:*',
      'node:*/**',
    ],
    says: 'The command line imports @halt/core, @halt/control, the stores and ioredis.',
  },
  'telemetry-prometheus': { may: ['@halt/core', 'prom-client'], says: TELEMETRY_SAYS },
  'telemetry-otel': { may: ['@halt/core', '@opentelemetry/api'], says: TELEMETRY_SAYS },
  'telemetry-webhook': { may: ['@halt/core', '@halt/core/http', 'standardwebhooks'], says: TELEMETRY_SAYS },
  overload: {
    may: ['@halt/core', '@halt/core/http', 'node:*'],
    says: 'The load shedder imports @halt/core and @halt/core/http.',
    layers: ['base', 'limit', 'shedder', 'http'],
  },
}
