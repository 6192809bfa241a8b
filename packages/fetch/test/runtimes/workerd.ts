import { isFull } from '../../../../tools/full.ts'
import type { Entrypoint } from '../../../conformance/test/suite-apps.ts'
import { suiteWorker } from '../../../conformance/test/suite-worker.ts'
import { build, common, stores } from '../app.ts'

export * from '../../../conformance/test/suite-ports.ts'

// workerd tells no address, and Cloudflare tells that of the client only. So the suite's peer is told as Bun tells it.
const server = { requestIP: () => ({ address: '127.0.0.1' }) }

const runner: Entrypoint = suiteWorker(
  {
    ...common,
    name: 'Fetch on workerd',
    inSequence: true,
    hidesVersion: true,
    keepsTooLong: true,
    forgetsLeavers: true,
  },
  setup => {
    const handler = build(setup, 'bun')
    return request => handler(request, server)
  },
  // @halt/hono runs there on the other store.
  isFull ? stores : stores.slice(0, 1),
)

export default runner
