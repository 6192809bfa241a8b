// Which tests reach the sources of a folder. The nearest come first, because most mutants die there.

/** A folder of sources, and its tests.
 * @typedef {object} Area
 * @property {string} sources
 * @property {{ project: string, files: string[] }[]} tests
 */

/** The suite that holds the stores to the TypeScript. */
const mirror = { project: 'packages/store-redis', files: ['behaviour/suite', 'behaviour/fast-paths'] }

/** @param {string[]} files */
const core = (...files) => ({ project: 'packages/core', files: files.map(file => `test/${file}`) })

/** @type {Record<string, Area>} */
export const areas = {
  algorithms: {
    sources: 'packages/core/src/algorithms',
    tests: [
      core('algorithms'),
      core(
        'behaviour/promises',
        'behaviour/bounds',
        'waiting/many-holes',
        'fair',
        'lease/exactness',
        'limiter/inspector',
        'check/last-plan',
        'calls',
      ),
      mirror,
    ],
  },
  store: {
    sources: 'packages/core/src/store',
    tests: [
      core('store', 'check', 'resilience/invalid'),
      core('behaviour', 'fair', 'pairs'),
      { project: 'packages/conformance', files: ['core-stores', 'tx-store'] },
      { project: 'packages/store-memory', files: ['behaviour/suite', 'behaviour/counters'] },
      mirror,
    ],
  },
  lease: { sources: 'packages/core/src/lease', tests: [core('lease', 'pairs/lease', 'limiter/close')] },
  waiting: { sources: 'packages/core/src/waiting', tests: [core('waiting'), core('line', 'fair/waiting')] },
  resilience: {
    sources: 'packages/core/src/resilience',
    tests: [
      core('resilience'),
      core('calls', 'lease/outage', 'waiting/outage', 'fair/outage', 'limiter/close'),
    ],
  },
  limiter: {
    sources: 'packages/core/src/limiter',
    tests: [core('limiter', 'check'), core('behaviour', 'http', 'request', 'waiting', 'telemetry')],
  },
  request: {
    sources: 'packages/core/src/request',
    tests: [
      core('request'),
      core('limiter', 'http'),
      { project: 'packages/express', files: ['behaviour/express5'] },
    ],
  },
  control: { sources: 'packages/control/src', tests: [{ project: 'packages/control', files: [] }] },
  overload: { sources: 'packages/overload/src', tests: [{ project: 'packages/overload', files: [] }] },
  client: { sources: 'packages/client/src', tests: [{ project: 'packages/client', files: [] }] },
  lua: {
    sources: 'packages/store-redis/src/lua',
    tests: [
      mirror,
      { project: 'packages/store-redis', files: ['behaviour/line', 'behaviour/roads', 'behaviour/control'] },
    ],
  },
  sql: { sources: 'packages/store-postgres/sql', tests: [{ project: 'packages/store-postgres', files: [] }] },
}
