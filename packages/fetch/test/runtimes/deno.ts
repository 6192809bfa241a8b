import { connect } from 'node:net'
import process from 'node:process'

import { isFull } from '../../../../tools/full.ts'
import { runSuite } from '../../../conformance/test/run-suite.ts'
import { build, common, stores } from '../app.ts'

declare const Deno: {
  serve(
    options: { hostname: string; port: number; signal: AbortSignal; onListen(): void },
    fetch: (request: Request, info: object) => Response | Promise<Response>,
  ): { readonly addr: { readonly port: number }; readonly finished: Promise<void> }
}

await runSuite(
  {
    ...common,
    name: 'Fetch on Deno',
    inSequence: true,
    hidesVersion: true,
    closesUnread: true,
    connect,
    serve: async setup => {
      const handler = build(setup, 'deno')
      const ending = new AbortController()
      const options = { hostname: '127.0.0.1', port: 0, signal: ending.signal, onListen() {} }
      const server = Deno.serve(options, handler)
      return { url: `http://127.0.0.1:${server.addr.port}`, close: async () => ending.abort() }
    },
  },
  // @halt/hono runs there on the other store.
  isFull ? stores : stores.slice(0, 1),
)
process.exit()
