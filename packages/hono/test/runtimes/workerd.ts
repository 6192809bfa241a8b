import { isFull } from '../../../../tools/full.ts'
import type { Entrypoint } from '../../../conformance/test/suite-apps.ts'
import { suiteWorker } from '../../../conformance/test/suite-worker.ts'
import { build, common, stores } from '../app.ts'

export * from '../../../conformance/test/suite-ports.ts'

// workerd tells no address, and Cloudflare tells that of the client only.
const getConnInfo = (): { remote: { address: string } } => ({ remote: { address: '127.0.0.1' } })

const runner: Entrypoint = suiteWorker(
  {
    ...common,
    name: 'Hono on workerd',
    inSequence: true,
    hidesVersion: true,
    keepsTooLong: true,
    forgetsLeavers: true,
  },
  setup => {
    const app = build(setup, getConnInfo)
    return request => app.fetch(request)
  },
  // @halt/fetch runs there on the other store.
  isFull ? stores : stores.slice(1),
)

export default runner
