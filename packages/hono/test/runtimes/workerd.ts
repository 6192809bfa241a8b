import { suiteWorker } from '../../../conformance/test/suite-worker.ts'
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
export const [port0, port1, port2, port3, port4, port5, port6, port7, port8, port9] = ports
