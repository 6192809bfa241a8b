// Which projects test the sources of a folder. The nearest come first, because most mutants die there.

/** A folder of sources, and its tests.
 * @typedef {object} Area
 * @property {string} sources
 * @property {{ project: string, files: string[] }[]} tests parts of the names of files; none means all
 */

/** The suite that holds the stores to the TypeScript. */
const mirror = { project: 'packages/store-redis', files: ['behaviour/suite', 'behaviour/fast-paths'] }

const core = { project: 'packages/core', files: [] }

/** @type {Record<string, Area>} */
export const areas = {
  algorithms: { sources: 'packages/core/src/algorithms', tests: [core, mirror] },
  store: {
    sources: 'packages/core/src/store',
    tests: [
      core,
      { project: 'packages/conformance', files: ['core-stores', 'tx-store'] },
      { project: 'packages/store-memory', files: ['behaviour/suite', 'behaviour/counters'] },
      { project: 'packages/control', files: [] },
      mirror,
    ],
  },
  lease: { sources: 'packages/core/src/lease', tests: [core] },
  waiting: { sources: 'packages/core/src/waiting', tests: [core] },
  resilience: { sources: 'packages/core/src/resilience', tests: [core] },
  limiter: {
    sources: 'packages/core/src/limiter',
    tests: [
      core,
      { project: 'packages/store-memory', files: [] },
      { project: 'packages/control', files: [] },
    ],
  },
  request: {
    sources: 'packages/core/src/request',
    tests: [core, { project: 'packages/express', files: ['behaviour/express5', 'behaviour/mounting'] }],
  },
  control: { sources: 'packages/control/src', tests: [{ project: 'packages/control', files: [] }] },
  overload: { sources: 'packages/overload/src', tests: [{ project: 'packages/overload', files: [] }] },
  client: { sources: 'packages/client/src', tests: [{ project: 'packages/client', files: [] }] },
  lua: {
    sources: 'packages/store-redis/src/lua',
    tests: [
      mirror,
      {
        project: 'packages/store-redis',
        files: [
          'line',
          'roads',
          'control',
          'losses',
          'waiting',
          'budgets',
          'newer-counters',
          'connection/cluster',
        ].map(name => `behaviour/${name}`),
      },
    ],
  },
  sql: { sources: 'packages/store-postgres/sql', tests: [{ project: 'packages/store-postgres', files: [] }] },
}
