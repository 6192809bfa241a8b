import { type Entrypoint, suiteWorker } from '../../../conformance/test/suite-worker.ts'
import { build, common, stores } from '../app.ts'

// workerd tells no address, and Cloudflare tells that of the client only. So the suite's peer is told as Bun tells it.
const server = { requestIP: () => ({ address: '127.0.0.1' }) }

const { runner, ports } = suiteWorker(
  { ...common, name: 'Fetch on workerd', inSequence: true, hidesVersion: true },
  setup => {
    const handler = build(setup, 'bun')
    return request => handler(request, server)
  },
  stores,
)

export default runner
export const port0: Entrypoint = ports[0]
export const port1: Entrypoint = ports[1]
export const port2: Entrypoint = ports[2]
export const port3: Entrypoint = ports[3]
