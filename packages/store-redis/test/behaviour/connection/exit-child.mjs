// A child process, to measure when it ends: `node exit-child.mjs <bundle> <library> <single|pool|cluster> <port> <what>`.
import { setTimeout as sleep } from 'node:timers/promises'

const [bundle, library, kind, port, what] = process.argv.slice(2)
const start = { host: '127.0.0.1', port: Number(port) }

const { openConnection } = await import(bundle)
const { default: lib } = await import(bundle.replace('connection.mjs', `${library}.mjs`))
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
// How long the process has lived on, without the time in which it had no processor: a late tick counts as one on time.
let lived = 0
let last = performance.now()
function beat() {
  const now = performance.now()
  lived += Math.min(now - last, 10)
  last = now
}
setInterval(beat, 5).unref()
// Keeps the process alive during a scene, because the connection does not.
const scene = setInterval(() => {}, 1000)
const open = () => openConnection({ client, connection: 'own', warn: ({ code }) => say(code) })
const told = () =>
  new Promise(resolve => process.stdin.once('data', () => (process.stdin.pause(), resolve())))

if (what === 'unconnected') {
  // The user's client never connects, so only Halt could keep the process alive.
  const connection = open()
  await connection.opened
  say(`ready ${connection.ready}`)
  if (connection.ready) say(await connection.command(['PING']))
} else if (what === 'inspect') {
  // A program may await this before it does anything else.
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
  // Without an error listener.
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
