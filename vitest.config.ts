import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { isFull } from './tools/full.ts'
import LongestFirst from './tools/longest-first.ts'

const servers = fileURLToPath(new URL('tools/servers.ts', import.meta.url))
const everywhere = ['tools/watchdog.ts', 'tools/chance.ts'].map(file =>
  fileURLToPath(new URL(file, import.meta.url)),
)
/** Whole files that `npm test` leaves to the full form, because other files have each part of them. */
const AT_NIGHT = [
  'apps/benchmarks/test/logins.test.ts',
  'apps/benchmarks/test/misses.test.ts',
  'apps/demo-budget/test/show.test.ts',
  'apps/demo-durable/test/show.test.ts',
  'apps/demo-express/test/nine-in-the-evening.test.ts',
  'apps/demo-express/test/saas.test.ts',
  'apps/demo-fair/test/show.test.ts',
  'apps/demo-fastify/test/app.test.ts',
  'apps/demo-hono/test/app.test.ts',
  'apps/demo-lease/test/show.test.ts',
  'apps/demo-nest/test/app.test.ts',
  'apps/demo-overload/test/show.test.ts',
  'apps/demo-queue/test/show.test.ts',
  'apps/site/test/playground/browser.test.ts',
  'apps/site/test/search/browser.test.ts',
  'packages/fetch/test/behaviour/node.test.ts',
  'packages/hono/test/behaviour/node.test.ts',
  'packages/overload/test/simulation/figures.test.ts',
  'packages/store-memory/test/behaviour/growth.test.ts',
  'packages/store-redis/test/behaviour/budgets.test.ts',
  'packages/store-redis/test/behaviour/connection/sentinel.test.ts',
]
/** `npm test` sets it. Without it, `--project` chooses a package. */
const isWhole = Boolean(process.env['HALT_ONE_PROJECT'])

/**
 * Room for garbage. A process that runs a hundred files would otherwise collect it many times while its heap grows, which takes an
 * eighth of its time.
 */
const room = ['--min-semi-space-size=32', '--max-semi-space-size=64', '--initial-old-space-size=800']
/**
 * A function runs six times as long before Node 20 compiles it again for speed. Most functions of tests never run often enough to win that
 * time back, which was a sixth of a process. Later versions of Node compile in three steps, and do not know this option.
 */
const patience = process.version.startsWith('v20.') ? ['--interrupt-budget=400000'] : []
const execArgv = [...room, ...patience]

/** One package or app: its tests, run against the sources of the whole workspace. */
const project = (
  root: string,
  test: TestProjectInlineConfiguration['test'] = {},
): TestProjectInlineConfiguration => ({
  // Exactly these: what `ssr` lists is also handed to Node as `--conditions`, and an 'import' there would
  // make `require()` in dependencies load the wrong files.
  resolve: { conditions: ['halt-source'] },
  ssr: { resolve: { conditions: ['halt-source', 'node'] } },
  // Only what hangs is to fail by its time, on the busiest machine too.
  test: {
    name: root,
    root,
    include: ['test/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    setupFiles: everywhere,
    execArgv,
    ...test,
  },
})

/** Adds real servers: `inject('redisUrl')`, `inject('valkeyUrl')`, `inject('clusterNodes')`. */
const withServers = { globalSetup: [servers] }

/** Adds a real PostgreSQL: `inject('postgresUrl')`. */
const withPostgres = { globalSetup: [fileURLToPath(new URL('tools/postgres.ts', import.meta.url))] }

/** Adds a real MariaDB: `inject('mysqlUrl')`. */
const withMysql = { globalSetup: [fileURLToPath(new URL('tools/mysql.ts', import.meta.url))] }

/** Lets the files share a process, which halves their cost. */
const together = {
  isolate: false,
  // One, which loads those of {@link everywhere}: Vitest runs each before each file.
  setupFiles: [fileURLToPath(new URL('tools/shared-process.ts', import.meta.url))],
}

/** The file of graphql that Node loads. Vite would load another one, so that there were two, which graphql refuses. */
const asNode = [
  {
    find: /^graphql$/,
    replacement: fileURLToPath(new URL('apps/recipes/node_modules/graphql/index.js', import.meta.url)),
  },
]

const projects = [
  project('packages/cli', {
    globalSetup: [servers, ...withPostgres.globalSetup, ...withMysql.globalSetup],
    ...together,
  }),
  project('packages/core', together),
  project('packages/control', together),
  project('packages/conformance', { ...withPostgres, ...together }),
  project('packages/store-memory', together),
  project('packages/store-durable-objects', together),
  project('packages/store-sqlite', together),
  project('packages/store-redis', { ...withServers, ...together }),
  project('packages/store-postgres', { ...withPostgres, ...together }),
  project('packages/store-mysql', { ...withMysql, ...together }),
  project('packages/express', { ...withServers, ...together }),
  project('packages/fastify', { ...withServers, ...together }),
  project('packages/fetch', together),
  project('packages/operator', { ...withServers, ...together }),
  project('packages/client', { ...withServers, ...together }),
  project('packages/ai-sdk', { ...withServers, ...together }),
  project('packages/tools', { ...withServers, ...together }),
  project('packages/hono', { ...withServers, ...together }),
  project('packages/nest', { ...withServers, ...together }),
  project('packages/_template', together),
  project('apps/benchmarks', together),
  project('apps/demo-kit', together),
  project('apps/site', together),
  project('apps/recipes', { ...together, alias: asNode }),
  project('packages/telemetry-prometheus', together),
  project('packages/telemetry-otel', together),
  project('packages/telemetry-webhook', together),
  project('packages/overload', together),
  project('apps/faults', withServers),
  project('apps/demo-express', { ...withServers, ...together }),
  project('apps/demo-fastify', { ...withServers, ...together }),
  project('apps/demo-hono', { ...withServers, ...together }),
  project('apps/demo-nest', { ...withServers, ...together }),
  project('apps/demo-lease', { ...withServers, ...together }),
  project('apps/demo-queue', { ...withServers, ...together }),
  project('apps/demo-fair', { ...withServers, ...together }),
  project('apps/demo-budget', { ...withServers, ...together }),
  project('apps/demo-durable', together),
  project('apps/demo-tools', together),
  project('apps/demo-overload', together),
  project('apps/demo-worker', together),
]

/**
 * Makes the packages whose files share a process one project, so that they share it with each other, too. Vitest transforms and
 * loads the sources of core anew for each project.
 */
function merged(all: TestProjectInlineConfiguration[]): TestProjectInlineConfiguration[] {
  const roots = all.flatMap(({ test }) => (test?.isolate === false ? [test.root ?? ''] : []))
  const one = project('.', {
    ...together,
    name: 'shared',
    alias: asNode,
    include: roots.map(root => `${root}/test/**/*.test.ts`),
    exclude: isFull ? [] : AT_NIGHT,
    globalSetup: [...withServers.globalSetup, ...withPostgres.globalSetup, ...withMysql.globalSetup],
  })
  return [one, ...all.filter(({ test }) => test?.isolate !== false)]
}

export default defineConfig({
  test: {
    reporters: ['default', './tools/count-reporter.ts', './tools/silence-reporter.ts'],
    // A server that has gone would make each of its tests wait for minutes.
    bail: isWhole ? 30 : 0,
    // Most tests wait for servers and timers, not for a processor: so there are more files at work than processors.
    maxWorkers: Math.max(6, availableParallelism()),
    sequence: { sequencer: LongestFirst },
    coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'] },
    projects: isWhole ? merged(projects) : projects,
  },
})
