import { connect } from 'node:net'
import { getConnInfo } from 'hono/bun'

import { build, common } from '../app.ts'
import { run } from './run.ts'

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

await run({
  ...common,
  name: 'Hono on Bun',
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
})
process.exit()
