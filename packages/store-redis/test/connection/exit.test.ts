import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { describe, expect, inject, it, onTestFinished } from 'vitest'

import { type RunningServer, startCluster, startRedis } from '../../../../tools/servers.ts'
import { portOf, until } from './clients.ts'

const CHILD = fileURLToPath(new URL('exit-child.mjs', import.meta.url))

interface Child {
  readonly process: ChildProcess
  readonly output: () => string
}

function start(library: string, kind: string, port: number, what: string): Child {
  const child = spawn(process.execPath, [CHILD, library, kind, String(port), what], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  const read = (chunk: string): void => {
    output += chunk
  }
  child.stdout.setEncoding('utf8').on('data', read)
  child.stderr.setEncoding('utf8').on('data', read)
  return { process: child, output: () => output }
}

/** Waits for the process to end by itself; returns what it said, and how long it lived on, milliseconds. */
async function ending(child: Child): Promise<number> {
  if (child.process.exitCode === null)
    await Promise.race([once(child.process, 'exit'), new Promise(resolve => setTimeout(resolve, 12_000))])
  const [, code, ms] = /exit (\d+) (\d+)/.exec(child.output()) ?? []
  expect(code, child.output()).toBe('0')
  return Number(ms)
}

async function server(): Promise<RunningServer> {
  const running = await startRedis()
  onTestFinished(() => running.stop())
  return running
}

const libraries = ['ioredis', 'ioredis5', 'redis', 'redis5']

describe.each(libraries)('a process with %s', library => {
  it.each(['single', 'cluster'])('is not kept by an idle connection: %s', async kind => {
    const port = kind === 'single' ? portOf(inject('redisUrl')) : inject('clusterNodes')[0]!.port
    const child = start(library, kind, port, 'unconnected')
    const ms = await ending(child)
    console.log(library, kind, ms)
    expect(child.output()).toMatch(/ready true\nPONG/)
    expect(ms).toBeLessThan(100)
  })

  it.each(['single', 'cluster'])('is not kept by attempts to connect: %s', async kind => {
    const running = await server()
    await running.stop()
    const child = start(library, kind, running.port, 'unconnected')
    const ms = await ending(child)
    console.log(library, kind, ms)
    expect(child.output()).toContain('ready false')
    expect(ms).toBeLessThan(700)
  })

  it.each(['single', 'cluster'])(
    'is not kept by a connection that was lost: %s',
    async kind => {
      const cluster = kind === 'cluster' ? await startCluster() : undefined
      const running = cluster?.servers ?? [await server()]
      onTestFinished(() => cluster?.stop())
      const child = start(library, kind, running[0]!.port, 'lost')
      await until('it to be ready', () => child.output().includes('ready true'), 10_000)
      for (const one of running) await one.stop()
      child.process.stdin!.end('go\n')
      const ms = await ending(child)
      console.log(library, kind, ms)
      expect(child.output()).toContain('lost')
      expect(ms).toBeLessThan(700)
    },
    20_000,
  )

  it('is not kept by a server that hangs', async () => {
    const running = await server()
    const child = start(library, 'single', running.port, 'hung')
    await until('it to be ready', () => child.output().includes('ready true'), 10_000)
    running.process.kill('SIGSTOP')
    child.process.stdin!.end('go\n')
    const ms = await ending(child)
    console.log(library, ms)
    expect(ms).toBeLessThan(100)
  })

  it.each(['single', 'cluster', 'pool'])('ends when its client does: %s', async kind => {
    if (kind === 'pool' && library.startsWith('ioredis')) return
    const port = kind === 'cluster' ? inject('clusterNodes')[0]!.port : portOf(inject('redisUrl'))
    const child = start(library, kind, port, 'quit')
    const ms = await ending(child)
    console.log(library, kind, ms)
    expect(child.output()).toContain('ready true')
    expect(ms).toBeLessThan(700)
  })

  it('lives on without an error listener when the server goes', async () => {
    if (library.startsWith('ioredis')) return
    const running = await server()
    const child = start(library, 'single', running.port, 'readme')
    await until('it to be ready', () => child.output().includes('ready true'), 10_000)
    await running.stop()
    child.process.stdin!.end('go\n')
    await ending(child)
    expect(child.output()).toMatch(/HALT_W_REDIS_ERROR_LISTENER[^]*alive/)
  })
})
