import { fileURLToPath } from 'node:url'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

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
  test: { name: root, root, include: ['test/**/*.test.ts'], ...test },
})

/** Adds `*.test-d.ts`: tests that the compiler runs. */
const types: TestProjectInlineConfiguration['test'] = {
  typecheck: { enabled: true, checker: 'tsc', tsconfig: 'tsconfig.json', include: ['test/**/*.test-d.ts'] },
}

/** Adds real servers: `inject('redisUrl')`, `inject('valkeyUrl')`, `inject('clusterNodes')`. */
// On a shared runner a server may be slow to start or to fail over: there a test may try again, by itself it may not.
const withServers = { globalSetup: [servers], retry: process.env['CI'] ? 2 : 0 }

export default defineConfig({
  test: {
    reporters: ['default', './tools/count-reporter.ts'],
    coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'] },
    projects: [
      project('packages/core', types),
      project('packages/store-memory'),
      project('packages/store-redis', withServers),
      project('packages/express', { ...types, ...withServers }),
      project('packages/fastify', { ...types, ...withServers }),
      project('packages/hono', { ...types, ...withServers }),
      project('packages/nest', { ...types, ...withServers }),
      project('apps/benchmarks'),
      project('apps/demo-kit'),
      project('packages/telemetry-prometheus'),
      project('packages/telemetry-otel'),
      project('apps/faults', withServers),
      project('apps/demo-express', withServers),
      project('apps/demo-fastify', withServers),
      project('apps/demo-hono', withServers),
      project('apps/demo-nest', withServers),
    ],
  },
})
