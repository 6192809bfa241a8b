import type { StartApp } from './contestants/apps/app.ts'
import { cpuNanos } from './cpu.ts'
import { freePort } from './server.ts'

/** The messages of an app's process: first its port, then, at each request, its CPU time so far in nanoseconds. */
export type FromApp = { readonly port: number } | { readonly cpu: number }

const [, , framework = '', name = '', place] = process.argv
const { start } = (await import(`./contestants/apps/${framework}.js`)) as { start(name: string): StartApp }
const port = await freePort()
await start(name)(port, place === '' ? undefined : place)
process.on('message', () => process.send?.({ cpu: cpuNanos() }))
process.on('disconnect', () => process.exit(0))
process.send?.({ port })
