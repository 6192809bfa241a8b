// Starts Redis and Valkey servers and clusters for tests. As Vitest's global set-up it starts one of each for all test files.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestProject } from 'vitest/node'
import { findServer, type ServerProgram } from './find-server.mjs'
import { freePort } from './free-port.mjs'

/** A temporary server on 127.0.0.1 that stores nothing on disk. */
export interface RunningServer {
  readonly url: string
  readonly port: number
  /** The server's process, which fault tests kill, stop (`SIGSTOP`) and continue. */
  readonly process: ChildProcess
  /** Ends the server and removes its folder; safe to call twice. */
  stop(): Promise<void>
}

/** A temporary cluster, in which every slot is served. */
export interface RunningCluster {
  /** The masters, in the order of their slots. */
  readonly nodes: { host: string; port: number }[]
  /** All servers: the masters, then their replicas. */
  readonly servers: RunningServer[]
  stop(): Promise<void>
}

export interface ServerOptions {
  /** Default: `redis-server`. */
  readonly binary?: ServerProgram
  /** More options for the server, e.g. `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[]
  /** Default: a free port. Give one to start a server again on its old port. */
  readonly port?: number
}

export interface ClusterOptions {
  readonly binary?: ServerProgram
  readonly args?: readonly string[]
  /** Masters, default 3. */
  readonly masters?: number
  /** Replicas of each master, default 0. */
  readonly replicas?: number
  /** Milliseconds without an answer until a node counts as failed, default 30 000. */
  readonly nodeTimeout?: number
}

const HOST = '127.0.0.1'
const SLOTS = 16_384
/** The longest wait for a cluster. Only what hangs is to fail by its time, on the busiest machine too. */
const MOST_MS = 120_000
const MEET_AGAIN_MS = 3_000

/** Starts one server and waits until it answers. */
export async function startRedis(options: ServerOptions = {}): Promise<RunningServer> {
  const { binary = 'redis-server', args = [] } = options
  const path = serverPath(binary)
  // Another process may take the free port before the server does. Then try again.
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    try {
      return await launch(path, port, args)
    } catch (error) {
      if (attempt === 5 || options.port || !isTaken(error)) throw error
    }
  }
}

/** Whether another process has taken a port that was free. */
function isTaken(error: unknown): boolean {
  return String(error).includes('Address already in use')
}

/** Starts a cluster and waits until every node knows all others. */
export async function startCluster(options: ClusterOptions = {}): Promise<RunningCluster> {
  const { masters = 3, replicas = 0, nodeTimeout = 30_000 } = options
  const servers: RunningServer[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map(server => server.stop()))
  }
  try {
    for (let i = 0; i < masters * (1 + replicas); i++) {
      servers.push(await startNode(options, nodeTimeout))
    }
    await joinCluster(servers, masters)
  } catch (error) {
    await stop()
    throw error
  }
  const nodes = servers.slice(0, masters).map(({ port }) => ({ host: HOST, port }))
  return { nodes, servers, stop }
}

/** Sends one command, its words separated by spaces, and resolves to the text of the answer. */
export async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, HOST)
  try {
    socket.setTimeout(30_000, () => socket.destroy(new Error(`No answer to ${command}`)))
    socket.write(`${command}\r\n`)
    let answer = ''
    for await (const chunk of socket.setEncoding('latin1')) {
      answer += chunk
      const text = readReply(answer)
      if (text === undefined) continue
      if (text.startsWith('-')) throw new Error(`${command}: ${text.slice(1)}`)
      return text
    }
    throw new Error(`${command}: the connection was closed`)
  } finally {
    socket.destroy()
  }
}

/** Vitest's global set-up: provides `redisUrl`, `valkeyUrl` and `clusterNodes`. All projects share these servers. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (holder[KEY] ??= { users: 0, started: startAll() })
  shared.users++
  const { redisUrl, valkeyUrl, clusterNodes, stop } = await shared.started
  project.provide('redisUrl', redisUrl)
  project.provide('valkeyUrl', valkeyUrl)
  project.provide('clusterNodes', clusterNodes)
  return async () => {
    if (--shared.users > 0) return
    delete holder[KEY]
    await stop()
  }
}

// Each project loads this file separately, so the shared servers are a property of `globalThis`.
const KEY = Symbol.for('halt.test.servers')
const holder = globalThis as { [KEY]?: { users: number; started: Promise<Servers> } }

interface Servers {
  readonly redisUrl: string
  readonly valkeyUrl: string
  readonly clusterNodes: { host: string; port: number }[]
  readonly stop: () => Promise<void>
}

async function startAll(): Promise<Servers> {
  const given = process.env
  const running: { stop(): Promise<void> }[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(running.map(server => server.stop()))
  }
  const start = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const server = await starting
    running.push(server)
    return server
  }
  const redis = async (): Promise<string> => given['REDIS_URL'] || (await start(startRedis())).url
  const valkey = async (): Promise<string> =>
    given['VALKEY_URL'] || (await start(startRedis({ binary: 'valkey-server' }))).url
  const cluster = async (): Promise<Servers['clusterNodes']> =>
    parseNodes(given['REDIS_CLUSTER_NODES']) ?? (await start(startCluster())).nodes
  const starting = [redis(), valkey(), cluster()] as const
  try {
    const [redisUrl, valkeyUrl, clusterNodes] = await Promise.all(starting)
    return { redisUrl, valkeyUrl, clusterNodes, stop }
  } catch (error) {
    await Promise.allSettled(starting)
    await stop()
    throw error
  }
}

/** Reads `host:port,host:port`. */
function parseNodes(list: string | undefined): { host: string; port: number }[] | undefined {
  return list?.split(',').map(node => {
    const { hostname, port } = new URL(`redis://${node.trim()}`)
    return { host: hostname, port: Number(port || 6379) }
  })
}

function serverPath(binary: ServerProgram): string {
  const path = findServer(binary)
  if (path) return path
  const variable = binary === 'redis-server' ? 'REDIS_URL (and REDIS_CLUSTER_NODES)' : 'VALKEY_URL'
  throw new Error(
    `These tests need ${binary}: run \`npm run setup\`, or set ${variable} to a server that they may use.`,
  )
}

async function launch(path: string, port: number, args: readonly string[]): Promise<RunningServer> {
  const dir = await mkdtemp(join(tmpdir(), 'halt-server-'))
  const standard = ['--port', `${port}`, '--bind', HOST, '--dir', dir, '--save', '', '--appendonly', 'no']
  const child = spawn(path, [...standard, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = new Promise<void>(resolve => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const killNow = (): void => void child.kill('SIGKILL')
  process.once('exit', killNow)
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      killNow()
      await exited
      process.off('exit', killNow)
      await rm(dir, { recursive: true, force: true })
    })())
  try {
    await ready(child, path)
  } catch (error) {
    await stop()
    throw error
  }
  return { url: `redis://${HOST}:${port}`, port, process: child, stop }
}

/** Resolves when the server accepts connections. Rejects with the end of its log if it exits first. */
function ready(child: ChildProcess, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    const timer = setTimeout(() => fail(`${path} did not start within 20 s`), 20_000)
    const fail = (message: string): void => {
      clearTimeout(timer)
      reject(new Error(`${message}\n${log.slice(-2000)}`))
    }
    child.once('error', error => fail(`${path}: ${error.message}`))
    child.once('exit', code => fail(`${path} ended with code ${code} before it was ready`))
    const read = (text: string): void => {
      if (log.length > 20_000) return
      log += text
      if (!log.includes('Ready to accept connections')) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout?.setEncoding('utf8').on('data', read)
    child.stderr?.setEncoding('utf8').on('data', read)
  })
}

async function startNode(options: ClusterOptions, nodeTimeout: number): Promise<RunningServer> {
  const { binary = 'redis-server', args = [] } = options
  const delays = ['--cluster-node-timeout', `${nodeTimeout}`, '--repl-diskless-sync-delay', '0']
  for (let attempt = 1; ; attempt++) {
    // By default the bus takes port + 10000, which may be in use, or above 65535.
    const busPort = await freePort()
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`]
    try {
      const server = await startRedis({ binary, args: [...cluster, ...delays, ...args] })
      busPorts.set(server, busPort)
      return server
    } catch (error) {
      if (attempt === 3 || !isTaken(error)) throw error
    }
  }
}

const busPorts = new WeakMap<RunningServer, number>()

async function joinCluster(servers: RunningServer[], masters: number): Promise<void> {
  const [first] = servers as [RunningServer]
  for (const [i, { port }] of servers.entries()) {
    await ask(port, `CLUSTER SET-CONFIG-EPOCH ${i + 1}`)
    if (i >= masters) continue
    const from = Math.floor((i * SLOTS) / masters)
    const to = Math.floor(((i + 1) * SLOTS) / masters) - 1
    await ask(port, `CLUSTER ADDSLOTSRANGE ${from} ${to}`)
  }
  const meet = async (): Promise<void> => {
    for (const server of servers.slice(1)) {
      await ask(first.port, `CLUSTER MEET ${HOST} ${server.port} ${busPorts.get(server)}`)
    }
  }
  await meet()
  let met = performance.now()
  await until('the cluster to form', async () => {
    // On a busy machine a node may forget a handshake that takes longer than its timeout.
    if (performance.now() - met > MEET_AGAIN_MS) {
      const info = await ask(first.port, 'CLUSTER INFO')
      if (knownNodes(info) < servers.length) await meet()
      met = performance.now()
    }
    for (const { port } of servers) {
      const info = await ask(port, 'CLUSTER INFO')
      if (!info.includes('cluster_state:ok')) return false
      if (knownNodes(info) !== servers.length) return false
    }
    return true
  })
  for (const [i, { port }] of servers.entries()) {
    if (i < masters) continue
    const master = servers[i % masters]!
    await ask(port, `CLUSTER REPLICATE ${await ask(master.port, 'CLUSTER MYID')}`)
  }
  await until('the replicas to follow', async () => {
    for (const { port } of servers.slice(masters)) {
      if (!(await ask(port, 'INFO replication')).includes('master_link_status:up')) return false
    }
    return true
  })
}

/** The number of nodes that a node knows, itself included, from its `CLUSTER INFO`. */
function knownNodes(info: string): number {
  return Number(/^cluster_known_nodes:(\d+)/m.exec(info)?.[1])
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + MOST_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited ${MOST_MS / 1000} s for ${what}`)
    await sleep(50)
  }
}

/** The text of a complete reply, of an array's texts with a space between them; undefined if the reply is incomplete. */
function readReply(answer: string): string | undefined {
  const end = answer.indexOf('\r\n')
  if (end < 0) return undefined
  const head = answer.slice(0, end)
  const body = answer.slice(end + 2)
  const length = Number(head.slice(1))
  if (head.startsWith('*')) {
    // Each text has a line with its length before it.
    const lines = body.split('\r\n')
    return lines.length > 2 * length ? lines.filter((_, i) => i % 2 === 1).join(' ') : undefined
  }
  if (!head.startsWith('$')) return head.startsWith('-') ? head : head.slice(1)
  return body.length >= length + 2 ? body.slice(0, Math.max(length, 0)) : undefined
}
