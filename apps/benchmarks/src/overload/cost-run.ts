import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { load } from '../load.ts'

// The processor time of a server for one request whose handler does nothing, in microseconds.
const [guard, requests] = process.argv.slice(2) as [string, string]
const server = fork(fileURLToPath(new URL('server-run.js', import.meta.url)), [guard, 'empty'])
const [port] = (await once(server, 'message')) as [number]

async function cpu(): Promise<number> {
  server.send('cpu')
  const [{ user, system }] = (await once(server, 'message')) as [NodeJS.CpuUsage]
  return user + system
}

const wanted = {
  port,
  requests: Number(requests),
  connections: 16,
  clients: undefined,
  order: 'in turn',
} as const
await load(wanted)
const before = await cpu()
await load(wanted)
const spent = (await cpu()) - before
server.disconnect()
console.log(JSON.stringify(spent / Number(requests)))
