import { suiteWorker } from '../../../conformance/test/suite-worker.ts'
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
export const [port0, port1, port2, port3, port4, port5, port6, port7, port8, port9] = ports
