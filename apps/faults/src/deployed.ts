// One process of a rolling deploy:
// node dist/deployed.js <framework> <server> <client> <port of the server> <port>
// It prints "ready", and after SIGTERM the report of drain() as JSON. It then ends by itself. Warnings go to stderr.
import { openStore } from './deploy/open-store.ts'
import { makeKit, type Serve } from './deploy/kit.ts'
import type { Framework } from './deploy/framework.ts'
import type { Place } from './place.ts'

const [framework, server, client, storePort, port] = process.argv.slice(2) as [
  Framework,
  Place['server'],
  Place['client'],
  string,
  string,
]

const servers: Readonly<Record<Framework, () => Promise<Serve>>> = {
  Express: async () => (await import('./deploy/express.ts')).serveExpress,
  Fastify: async () => (await import('./deploy/fastify.ts')).serveFastify,
  Hono: async () => (await import('./deploy/hono.ts')).serveHono,
  Nest: async () => (await import('./deploy/nest.ts')).serveNest,
}

const opened = openStore({ server, client }, Number(storePort))
const kit = makeKit(opened.store, ({ code, message }) => console.error(code, message))
const serve = await servers[framework]()
await kit.limiters.units.ready()
const end = await serve(kit, Number(port))
console.log('ready')

process.on('SIGTERM', () => {
  void end().then(report => {
    opened.end()
    console.log(JSON.stringify(report))
  })
})
