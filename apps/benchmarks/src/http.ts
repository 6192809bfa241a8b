import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { median } from './cpu.ts'
import { type Found, foundOf } from './found.ts'
import { httpTargets } from './http-targets.ts'
import type { Answers, Load } from './load.ts'
import type { Effort } from './memory.ts'
import { figure, type Section } from './report.ts'
import type { Order } from './request.ts'
import {
  appOf,
  CLIENTS,
  clientsIn,
  contestantsOf,
  LIMITERS,
  type SceneName,
  SCENES,
  sceneNames,
} from './scenes.ts'
import { startServer } from './server.ts'

interface Running {
  readonly limiter: string
  readonly place: 'memory' | 'redis'
  readonly process: ChildProcess
  readonly port: number
}

/** The CPU microseconds per request of each app of a scene, by `limiter place`. */
type Spent = ReadonlyMap<string, number>

const CONNECTIONS = 64
const BARE = 'bare in memory'

/** Measures the CPU time that limiting adds to a request. A second process makes the load; the apps take turns. */
export async function http({ quick }: Effort): Promise<Section> {
  const roundsOf = (scene: SceneName): number => (quick ? 1 : scene === 'at once' ? 7 : 5)
  const requests = quick ? 500 : 15_000
  const server = await startServer()
  const generator = start('load-run.js', [])
  const bare = new Map<string, number>()
  const added = new Map<string, number>()
  const share = new Map<string, number>()
  try {
    for (const framework of Object.keys(LIMITERS)) {
      for (const scene of sceneNames) {
        if (contestantsOf(framework, scene).length === 0) continue
        const all: Spent[] = []
        for (let round = 0; round < roundsOf(scene); round++)
          all.push(await oneRound(framework, scene, server.url, generator, requests))
        const yard = (spent: Spent): number => spent.get(BARE) ?? Number.NaN
        bare.set(`${framework} bare ${scene}`, median(all.map(yard)))
        for (const key of all[0]?.keys() ?? []) {
          const [limiter, place] = key.split(' in ')
          const found = `${framework} ${limiter} ${place === 'redis' ? 'redis' : scene}`
          // Each round compares with its own bare app, because the machine drifts, and two processes of one app differ by microseconds.
          added.set(found, median(all.map(spent => (spent.get(key) ?? Number.NaN) - yard(spent))))
          share.set(found, median(all.map(spent => yard(spent) / (spent.get(key) ?? Number.NaN))))
        }
      }
    }
  } finally {
    generator.disconnect()
    await server.stop()
  }
  return {
    name: 'http',
    title: 'HTTP, 64 connections: CPU µs a request that limiting adds to the bare app',
    head: [
      '',
      'bare app, at once and awaiting',
      'memory',
      'memory, awaiting',
      'Redis (ioredis)',
      'by header, throughput × bare',
    ],
    rows: Object.keys(LIMITERS).flatMap(framework => rowsOf(framework, bare, added, share)),
    targets: httpTargets(added, share),
    notes: [
      `Median of ${roundsOf('at once')} rounds (${roundsOf('awaits')} with a handler that awaits, and by header) of ${requests} requests after a third as many to warm up, fresh processes each round, less the bare app before and after. CPU time of the app's process alone, its system calls included. Headers as each limiter sets them by default or in its guide.`,
      'Three headers: an app that sets three headers and does nothing else. Late next: an app that only calls `next`, in a microtask. Where the handler answers at once, peers that call `next` asynchronously are credited as this app is.',
      'The handler answers at once, or, where the table says so, awaits a resolved promise first, as in the part `http-inprocess`. Through Redis it answers at once.',
      `By header: a key from a header, ${CLIENTS.toLocaleString('en')} clients at random, counters in memory. Throughput is requests per CPU second of the app's process.`,
      'The load generator never sleeps, because waking it would cost the fast apps CPU time.',
      'The 64 connections come from 64 loopback addresses: 64 keys. The memory store of @nestjs/throttler keeps a log, so its window is 50 ms; otherwise its cost would grow with the load.',
    ],
  }
}

function rowsOf(framework: string, bare: Found, added: Found, share: Found): string[][] {
  return contestantsOf(framework, 'at once').map(limiter => {
    const of = (scene: string): string => figure(foundOf(added, framework, limiter, scene))
    const yard = ['at once', 'awaits'].map(scene => figure(foundOf(bare, framework, 'bare', scene)))
    const throughput = foundOf(share, framework, limiter, 'header')
    return [
      `${framework}: ${limiter}`,
      yard.join(', '),
      of('at once'),
      of('awaits'),
      of('redis'),
      Number.isNaN(throughput) ? '–' : `${throughput.toFixed(2)} ×`,
    ]
  })
}

/** Measures each app of a scene once, in a fresh process; the bare app before and after the others. */
async function oneRound(
  framework: string,
  scene: SceneName,
  url: string,
  generator: ChildProcess,
  requests: number,
): Promise<Spent> {
  const running: Running[] = []
  const run = async (limiter: string, place: Running['place']): Promise<void> => {
    const app = { ...appOf(framework, limiter, scene), place: place === 'redis' ? url : undefined }
    const child = start('http-run.js', [JSON.stringify(app)])
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    running.push({ limiter, place, process: child, port })
  }
  const clients = clientsIn(SCENES[scene])
  const spend = (app: Running, count: number, order: Order): Promise<number> =>
    stretch(app, generator, { port: app.port, requests: count, connections: CONNECTIONS, clients, order })
  try {
    for (const limiter of ['bare', ...contestantsOf(framework, scene)]) await run(limiter, 'memory')
    // Through Redis every limiter answers later, so a handler that awaits makes no difference.
    if (scene === 'at once') for (const limiter of LIMITERS[framework] ?? []) await run(limiter, 'redis')
    // The warm-up names each client once.
    const warm = Math.max(Math.ceil(requests / 3), Math.min(requests, clients ?? 0))
    for (const app of running) await spend(app, warm, 'in turn')
    const spent = new Map<string, number>()
    for (const app of running)
      spent.set(`${app.limiter} in ${app.place}`, await spend(app, requests, 'at random'))
    const [bare] = running as [Running]
    spent.set(BARE, ((spent.get(BARE) ?? Number.NaN) + (await spend(bare, requests, 'at random'))) / 2)
    return spent
  } finally {
    for (const app of running) app.process.disconnect()
  }
}

/** The CPU microseconds per request over one load. */
async function stretch(app: Running, generator: ChildProcess, wanted: Load): Promise<number> {
  const before = await cpuOf(app)
  generator.send(wanted)
  const [answers] = (await once(generator, 'message')) as [Answers]
  if (answers['200'] !== wanted.requests)
    throw new Error(`${app.limiter} answered ${JSON.stringify(answers)} to ${wanted.requests} requests`)
  return ((await cpuOf(app)) - before) / 1000 / wanted.requests
}

async function cpuOf({ process: child }: Running): Promise<number> {
  child.send('cpu')
  const [{ cpu }] = (await once(child, 'message')) as [{ cpu: number }]
  return cpu
}

function start(script: string, args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(script, import.meta.url)), args)
}
