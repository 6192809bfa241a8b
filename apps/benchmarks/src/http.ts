import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { median } from './cpu.ts'
import type { Answers, Load } from './load.ts'
import { type Added, httpTargets, LIMITERS } from './http-targets.ts'
import type { Effort } from './memory.ts'
import { figure, type Section } from './report.ts'
import { startServer } from './server.ts'

/** The apps of each framework without a limit, the bare one first. */
const YARDSTICKS: Readonly<Record<string, readonly string[]>> = {
  express: ['bare', 'three headers'],
  fastify: ['bare', 'three headers'],
  hono: ['bare', 'three headers'],
  nest: ['bare'],
}

interface App {
  readonly key: string
  readonly process: ChildProcess
  readonly port: number
}

const CONNECTIONS = 64

/** Measures the CPU time that limiting adds to a request. A second process makes the load; the apps take turns. */
export async function http({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 7
  const requests = quick ? 500 : 15_000
  const server = await startServer()
  const generator = start('load-run.js', [])
  const added = new Map<string, number>()
  const rows: string[][] = []
  try {
    for (const [framework, limiters] of Object.entries(LIMITERS)) {
      const yardsticks = YARDSTICKS[framework] ?? []
      const names = [...yardsticks, ...limiters]
      const bare: number[] = []
      const more = new Map<string, number[]>()
      for (let round = 0; round < rounds; round++) {
        const spent = await oneRound(framework, yardsticks, limiters, server.url, generator, requests)
        const yard = spent.get(`${framework} bare memory`) ?? Number.NaN
        bare.push(yard)
        // Each round compares with its own bare app, because the machine drifts, and two processes of one app differ by microseconds.
        for (const [key, value] of spent) more.set(key, [...(more.get(key) ?? []), value - yard])
      }
      for (const [key, values] of more) added.set(key, median(values))
      rows.push(...rowsOf(framework, names, median(bare), added))
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
      `Median of ${rounds} rounds of ${requests} requests after a third as many to warm up, fresh processes each round, less the bare app before and after. CPU time of the app's process alone, its system calls included. Headers as each limiter sets them by default or in its guide.`,
      'Three headers: an app that sets three headers and does nothing else.',
      'The load generator never sleeps, because waking it would cost the fast apps CPU time.',
      'The 64 connections come from 64 loopback addresses: 64 keys. The memory store of @nestjs/throttler keeps a log, so its window is 50 ms; otherwise its cost would grow with the load.',
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

/** The CPU microseconds per request of every app, each in a fresh process; of the bare app before and after the others. */
async function oneRound(
  framework: string,
  yardsticks: readonly string[],
  limiters: readonly string[],
  url: string,
  generator: ChildProcess,
  requests: number,
): Promise<Map<string, number>> {
  const apps: App[] = []
  try {
    for (const name of [...yardsticks, ...limiters]) {
      for (const place of yardsticks.includes(name) ? ['memory'] : ['memory', 'redis']) {
        const child = start('http-run.js', [framework, name, place === 'redis' ? url : ''])
        const [{ port }] = (await once(child, 'message')) as [{ port: number }]
        apps.push({ key: `${framework} ${name} ${place}`, process: child, port })
      }
    }
    for (const app of apps) await stretch(app, generator, Math.ceil(requests / 3))
    const spent = new Map<string, number>()
    for (const app of apps) spent.set(app.key, await stretch(app, generator, requests))
    const [bare] = apps as [App]
    spent.set(
      bare.key,
      ((spent.get(bare.key) ?? Number.NaN) + (await stretch(bare, generator, requests))) / 2,
    )
    return spent
  } finally {
    for (const app of apps) app.process.disconnect()
  }
}

/** The CPU microseconds per request over one load. */
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
