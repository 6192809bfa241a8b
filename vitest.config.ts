import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import LongestFirst from './tools/longest-first.ts'

const servers = fileURLToPath(new URL('tools/servers.ts', import.meta.url))

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
    testTimeout: 60_000,
    hookTimeout: 60_000,
    ...test,
  },
})

/** Adds `*.test-d.ts`: tests that the compiler runs. */
const types: TestProjectInlineConfiguration['test'] = {
  typecheck: { enabled: true, checker: 'tsc', tsconfig: 'tsconfig.json', include: ['test/**/*.test-d.ts'] },
}

/** Adds real servers: `inject('redisUrl')`, `inject('valkeyUrl')`, `inject('clusterNodes')`. */
const withServers = { globalSetup: [servers] }

/** Adds a real PostgreSQL: `inject('postgresUrl')`. */
const withPostgres = { globalSetup: [fileURLToPath(new URL('tools/postgres.ts', import.meta.url))] }

/** Lets the files share a process, which halves what they cost. */
const together = {
  isolate: false,
  setupFiles: [fileURLToPath(new URL('tools/shared-process.ts', import.meta.url))],
}

/** The file of graphql that Node loads. Vite would load another one, so that there were two, which graphql refuses. */
const asNode = [
  {
    find: /^graphql$/,
    replacement: fileURLToPath(new URL('apps/recipes/node_modules/graphql/index.js', import.meta.url)),
  },
]

export default defineConfig({
  test: {
    reporters: ['default', './tools/count-reporter.ts'],
    // Most tests wait for servers and timers, not for a processor: so there are more files at work than processors.
    maxWorkers: Math.max(4, availableParallelism()),
    sequence: { sequencer: LongestFirst },
    coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'] },
    projects: [
      project('packages/cli', { ...withServers, ...together }),
      project('packages/core', { ...types, ...together }),
      project('packages/conformance', together),
      project('packages/store-memory', together),
      project('packages/store-durable-objects', { ...types, ...together }),
      project('packages/store-redis', { ...withServers, ...together }),
      project('packages/store-postgres', { ...withPostgres, ...together }),
      project('packages/express', { ...types, ...withServers, ...together }),
      project('packages/fastify', { ...types, ...withServers, ...together }),
      project('packages/fetch', { ...types, ...together }),
      project('packages/operator', { ...withServers, ...together }),
      project('packages/client', { ...types, ...withServers, ...together }),
      project('packages/hono', { ...types, ...withServers, ...together }),
      project('packages/nest', { ...types, ...withServers, ...together }),
      project('packages/_template', together),
      project('apps/benchmarks'),
      project('apps/demo-kit'),
      project('apps/site', together),
      project('apps/recipes', { ...together, alias: asNode }),
      project('packages/telemetry-prometheus'),
      project('packages/telemetry-otel'),
      project('packages/telemetry-webhook'),
      project('apps/faults', withServers),
      project('apps/demo-express', withServers),
      project('apps/demo-fastify', withServers),
      project('apps/demo-hono', withServers),
      project('apps/demo-nest', withServers),
      project('apps/demo-queue', withServers),
      project('apps/demo-worker'),
    ],
  },
})
