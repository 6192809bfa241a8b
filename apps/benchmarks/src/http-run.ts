import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { type App, makeServer } from './contestants/apps/index.ts'
import { cpuNanos } from './cpu.ts'

/** The messages of an app's process: first its port, then, at each request, its CPU time so far in nanoseconds. */
export type FromApp = { readonly port: number } | { readonly cpu: number }

const [, , app = ''] = process.argv
const server = await makeServer(JSON.parse(app) as App)
await once(server.listen(0, '127.0.0.1'), 'listening')
const { port } = server.address() as AddressInfo
process.on('message', () => process.send?.({ cpu: cpuNanos() }))
process.on('disconnect', () => process.exit(0))
process.send?.({ port })
