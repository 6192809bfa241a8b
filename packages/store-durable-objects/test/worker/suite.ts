// The Worker in which the store suite runs: it makes the stores, and calls the objects of its own namespace.
import { storeSuite } from '@halt/conformance'

import { collectTests } from '../../../conformance/test/collected.ts'
import { DurableObjectStore, HaltCounters, type ObjectNamespace } from '../../src/index.ts'
import { FACTORIES } from '../factories.ts'

export { HaltCounters }

let made = 0
/** The options of each store, for others over the same counters. */
const settings = new WeakMap<object, ConstructorParameters<typeof DurableObjectStore>[0]>()
let namespace: ObjectNamespace

const tests = collectTests(runner => {
  for (const { objects, ...factory } of FACTORIES)
    storeSuite(runner, {
      ...factory,
      make(clock) {
        // A prefix of its own for each test, so that tests share no counters.
        const options = { namespace, objects, clock, prefix: `t${++made}:` }
        const store = new DurableObjectStore(options)
        settings.set(store, options)
        return store
      },
      another: store => new DurableObjectStore(settings.get(store)!),
    })
})

export default {
  async fetch(request: Request, env: { readonly HALT: ObjectNamespace }): Promise<Response> {
    namespace = env.HALT
    const name = await request.text()
    try {
      await tests.get(name)?.()
      return Response.json({ found: tests.has(name) })
    } catch (error) {
      return Response.json({ found: true, failure: String((error as Error).stack) })
    }
  },
}
