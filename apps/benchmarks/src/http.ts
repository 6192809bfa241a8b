import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { median } from './cpu.ts'
import type { Answers, Load } from './load.ts'
import { httpTargets } from './http-targets.ts'
import type { Effort } from './memory.ts'
import { figure, type Section } from './report.ts'
import { startServer } from './server.ts'

/** The apps of each framework; the bare one first. */
export const FRAMEWORKS: Readonly<Record<string, readonly string[]>> = {
  express: ['bare', 'halt', 'express-rate-limit', 'rate-limiter-flexible'],
  fastify: ['bare', 'halt', '@fastify/rate-limit'],
  hono: ['bare', 'halt', 'hono-rate-limiter'],
  nest: ['bare', 'halt', '@nestjs/throttler'],
}

/** CPU microseconds a request that an app takes more than the bare one, by `framework app place`. */
export type Added = ReadonlyMap<string, number>

interface App {
  readonly key: string
  readonly process: ChildProcess
  readonly port: number
  readonly spent: number[]
}

const CONNECTIONS = 64

/** CPU time that limiting adds to a request: the load comes from a second process, the apps take turns. */
export async function http({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 9
  const requests = quick ? 500 : 20_000
  const server = await startServer()
  const generator = start('load-run.js', [])
  const added = new Map<string, number>()
  const rows: string[][] = []
  try {
    for (const [framework, names] of Object.entries(FRAMEWORKS)) {
      const apps = await startApps(framework, names, server.url)
      try {
        for (const app of apps) await stretch(app, generator, requests)
        for (const app of apps) app.spent.length = 0
        for (let round = 0; round < rounds; round++)
          for (const app of apps) app.spent.push(await stretch(app, generator, requests))
      } finally {
        for (const app of apps) app.process.disconnect()
      }
      const [bare] = apps
      for (const app of apps.slice(1)) {
        // Each round's own bare app: the machine drifts.
        added.set(app.key, median(app.spent.map((spent, i) => spent - (bare?.spent[i] ?? Number.NaN))))
      }
      rows.push(...rowsOf(framework, names, median(bare?.spent ?? []), added))
    }
  } finally {
    generator.disconnect()
    await server.stop()
  }
  return {
    name: 'http',
    title: 'HTTP, 64 connections: CPU µs a request that limiting adds to the bare app',
    head: ['', 'bare app', 'memory', 'Redis (ioredis)'],
    rows,
    targets: httpTargets(added),
    notes: [
      `Median of ${rounds} rounds of ${requests} requests, each less the bare app's of that round; CPU time of the app's process alone, headers as each sets them by default or in its guide.`,
      'The 64 connections come from 64 loopback addresses: 64 keys. The memory of @nestjs/throttler keeps a log and gets a window of 50 ms, else its cost would grow with the load.',
    ],
  }
}

function rowsOf(framework: string, names: readonly string[], bare: number, added: Added): string[][] {
  return names
    .slice(1)
    .map(name => [
      `${framework}: ${name}`,
      figure(bare),
      figure(added.get(`${framework} ${name} memory`) ?? Number.NaN),
      figure(added.get(`${framework} ${name} redis`) ?? Number.NaN),
    ])
}

async function startApps(framework: string, names: readonly string[], url: string): Promise<App[]> {
  const apps: App[] = []
  for (const name of names) {
    for (const place of name === 'bare' ? ['memory'] : ['memory', 'redis']) {
      const child = start('http-run.js', [framework, name, place === 'redis' ? url : ''])
      const [{ port }] = (await once(child, 'message')) as [{ port: number }]
      apps.push({ key: `${framework} ${name} ${place}`, process: child, port, spent: [] })
    }
  }
  return apps
}

/** CPU microseconds a request over one load. */
async function stretch(app: App, generator: ChildProcess, requests: number): Promise<number> {
  const before = await cpuOf(app)
  const wanted: Load = { port: app.port, requests, connections: CONNECTIONS }
  generator.send(wanted)
  const [answers] = (await once(generator, 'message')) as [Answers]
  if (answers['200'] !== requests)
    throw new Error(`${app.key} answered ${JSON.stringify(answers)} to ${requests} requests`)
  return ((await cpuOf(app)) - before) / 1000 / requests
}

async function cpuOf({ process: child }: App): Promise<number> {
  child.send('cpu')
  const [{ cpu }] = (await once(child, 'message')) as [{ cpu: number }]
  return cpu
}

function start(script: string, args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(script, import.meta.url)), args)
}
