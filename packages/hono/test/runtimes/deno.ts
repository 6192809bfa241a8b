import { connect } from 'node:net'
import process from 'node:process'
import { getConnInfo } from 'hono/deno'

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
    name: 'Hono on Deno',
    inSequence: true,
    hidesVersion: true,
    closesUnread: true,
    connect,
    serve: async setup => {
      const app = build(setup, getConnInfo)
      const ending = new AbortController()
      const options = { hostname: '127.0.0.1', port: 0, signal: ending.signal, onListen() {} }
      const server = Deno.serve(options, (request, info) => app.fetch(request, info))
      return { url: `http://127.0.0.1:${server.addr.port}`, close: async () => ending.abort() }
    },
  },
  // @halt/fetch runs there on the other store.
  isFull ? stores : stores.slice(1),
)
process.exit()
