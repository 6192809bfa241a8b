// Runs the example at EXAMPLE, in Bun or in Deno, on a free port. Asks it three times, and prints the answers.
import process from 'node:process'
import { pathToFileURL } from 'node:url'

type Handler = (...given: never) => unknown
type Runtime = {
  serve(...given: unknown[]): { readonly port?: number; readonly addr?: { readonly port: number } }
}

const { Bun, Deno } = globalThis as { readonly Bun?: Runtime; readonly Deno?: Runtime }
const runtime = (Bun ?? Deno) as Runtime
const place = { hostname: '127.0.0.1', port: 0 }

let port: number | undefined
const { serve } = runtime
runtime.serve = (given: unknown) => {
  const server =
    Bun === undefined
      ? serve({ ...place, onListen() {} }, given as Handler)
      : serve({ ...(given as object), ...place })
  port = server.port ?? server.addr?.port
  return server
}
await import(pathToFileURL(process.env['EXAMPLE'] ?? '').href)

const answers: object[] = []
for (let i = 0; i < 3; i++) {
  const response = await fetch(`http://127.0.0.1:${port}/items/7`)
  const { status, headers } = response
  answers.push({ status, left: headers.get('ratelimit-remaining'), text: await response.text() })
}
console.log(JSON.stringify(answers))
process.exit()
