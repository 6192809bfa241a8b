import { connect } from 'node:net'
import { getConnInfo } from 'hono/bun'

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
    name: 'Hono on Bun',
    inSequence: true,
    hidesVersion: true,
    connect,
    serve: async setup => {
      const app = build(setup, getConnInfo)
      const server = Bun.serve({
        hostname: '127.0.0.1',
        port: 0,
        fetch: (request, own) => app.fetch(request, own),
      })
      return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) }
    },
  },
  // @halt/fetch runs there on the other store.
  isFull ? stores : stores.slice(1),
)
process.exit()
