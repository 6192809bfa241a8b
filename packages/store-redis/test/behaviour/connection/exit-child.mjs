// A process of its own, to see when it ends: `node exit-child.mjs <bundle> <library> <single|pool|cluster> <port> <what>`.
import { setTimeout as sleep } from 'node:timers/promises'

const [bundle, library, kind, port, what] = process.argv.slice(2)
const start = { host: '127.0.0.1', port: Number(port) }

const { openConnection } = await import(bundle)
const lib = await import(library)
const client = library.startsWith('ioredis') ? ioredis() : nodeRedis()

function ioredis() {
  if (kind === 'cluster') return new lib.Cluster([start], { lazyConnect: true })
  return new lib.Redis({ ...start, lazyConnect: true })
}

function nodeRedis() {
  if (kind === 'cluster') return lib.createCluster({ rootNodes: [{ socket: start }] })
  if (kind === 'pool') return lib.createClientPool({ socket: start })
  return lib.createClient({ socket: start })
}

const say = text => process.stdout.write(`${text}\n`)
process.on('exit', code => {
  beat()
  say(`exit ${code} ${Math.round(lived)}`)
})
// How long the process has lived on, as far as it was not kept from its work: a beat that is late counts as one that is not.
let lived = 0
let last = performance.now()
function beat() {
  const now = performance.now()
  lived += Math.min(now - last, 10)
  last = now
}
setInterval(beat, 5).unref()
// Keeps the process while a scene is played: the link does not.
const scene = setInterval(() => {}, 1000)
const open = () => openConnection({ client, connection: 'own', warn: ({ code }) => say(code) })
const told = () =>
  new Promise(resolve => process.stdin.once('data', () => (process.stdin.pause(), resolve())))

if (what === 'unconnected') {
  // The user's client never connects: all that could keep the process is ours.
  const connection = open()
  await connection.opened
  say(`ready ${connection.ready}`)
  if (connection.ready) say(await connection.command(['PING']))
} else if (what === 'inspect') {
  // All that a program awaits before it does anything else.
  clearInterval(scene)
  const { RedisStore } = await import(bundle.replace('connection.mjs', 'store.mjs'))
  const found = await new RedisStore({ client, warn: () => {} }).inspect()
  say(`found ${found.map(({ code }) => code).join() || 'nothing'}`)
} else if (what === 'lost') {
  const connection = open()
  await connection.opened
  say(`ready ${connection.ready}`)
  await told()
  while (connection.ready) await sleep(5)
  await sleep(300)
  say('lost')
} else if (what === 'hung') {
  const connection = open()
  await connection.opened
  say(`ready ${connection.ready}`)
  await told()
  connection.command(['PING']).catch(() => {})
} else if (what === 'quit') {
  await client.connect()
  const connection = open()
  await connection.opened
  say(`ready ${connection.ready}`)
  await (client.quit ?? client.close).call(client)
} else if (what === 'readme') {
  // As the README of node-redis has it: no listener for errors.
  await client.connect()
  const connection = open()
  await connection.opened
  say(`ready ${connection.ready}`)
  await told()
  while (connection.ready) await sleep(5)
  await sleep(500)
  say('alive')
  client.destroy()
}
clearInterval(scene)
beat()
lived = 0
