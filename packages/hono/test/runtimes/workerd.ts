import { type Entrypoint, suiteWorker } from '../../../conformance/test/suite-worker.ts'
import { build, common, stores } from '../app.ts'

// workerd tells no address, and Cloudflare tells that of the client only.
const getConnInfo = (): { remote: { address: string } } => ({ remote: { address: '127.0.0.1' } })

const { runner, ports } = suiteWorker(
  { ...common, name: 'Hono on workerd', inSequence: true, hidesVersion: true },
  setup => {
    const app = build(setup, getConnInfo)
    return request => app.fetch(request)
  },
  stores,
)

export default runner
export const port0: Entrypoint = ports[0]
export const port1: Entrypoint = ports[1]
export const port2: Entrypoint = ports[2]
export const port3: Entrypoint = ports[3]
