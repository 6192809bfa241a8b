import { connect } from 'node:net'

import { isFull } from '../../../../tools/full.ts'
import { runSuite } from '../../../conformance/test/run-suite.ts'
import { build, common, stores } from '../app.ts'

interface Server {
  readonly port: number
  stop(force: boolean): Promise<void>
}

declare const Bun: {
  serve(options: {
    hostname: string
    port: number
    fetch(request: Request, server: Server): Response | Promise<Response>
  }): Server
}

await runSuite(
  {
    ...common,
    name: 'Fetch on Bun',
    inSequence: true,
    hidesVersion: true,
    connect,
    serve: async setup => {
      const handler = build(setup, 'bun')
      const server = Bun.serve({
        hostname: '127.0.0.1',
        port: 0,
        fetch: handler,
      })
      return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) }
    },
  },
  // @halt/hono runs there on the other store.
  isFull ? stores : stores.slice(0, 1),
)
process.exit()
