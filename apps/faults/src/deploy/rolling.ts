import { setTimeout as sleep } from 'node:timers/promises'

import { startWebProxy } from '../../../../packages/express/test/web-proxies.ts'
import type { Scene } from '../fault.ts'
import type { Form } from '../form.ts'
import { type Place, redisPlace, type ServerName } from '../place.ts'
import { PostgresWorld } from '../postgres/world.ts'
import { Judgement, type Row } from '../row.ts'
import { World } from '../world.ts'
import type { Framework } from './framework.ts'
import { makeKit } from './kit.ts'
import { openStore } from './open-store.ts'
import { LIMIT, POLICIES, ROUTES } from './policies.ts'
import { lastingPort } from './lasting-port.ts'
import { type Ended, ServerProcess } from './server-process.ts'
import { type Answers, Traffic } from './traffic.ts'

const SIZES = {
  short: { processes: 2, rounds: 1, perTick: 1, pauseMs: 200 },
  long: { processes: 3, rounds: 2, perTick: 3, pauseMs: 1_000 },
} as const

/**
 * Processes behind nginx are replaced one by one under load: SIGTERM, drain(), end, and a new one on the same port. Every request
 * is answered, and every unit, place, refund and failed login is counted exactly.
 */
export const rollingDeploys: readonly Scene[] = [
  sceneOf('Express', ['redis']),
  sceneOf('Express', ['valkey', 'cluster', 'postgres'], true),
  sceneOf('Fastify', ['redis', 'postgres'], true),
  sceneOf('Hono', ['redis', 'postgres'], true),
  sceneOf('Nest', ['redis', 'postgres'], true),
]

function sceneOf(framework: Framework, on: readonly ServerName[], isLongOnly = false): Scene {
  const name = `rolling deploy, ${framework}`
  return {
    name,
    on,
    isLongOnly,
    heavy: !isLongOnly ? false : true,
    run: (place, form) => play(name, framework, place, form),
  }
}

async function play(fault: string, framework: Framework, place: Place, form: Form): Promise<Row> {
  const { processes, rounds, perTick, pauseMs } = SIZES[form.name]
  const world =
    place.server === 'postgres'
      ? await PostgresWorld.start()
      : await World.start(redisPlace(place).server, {})
  const storePort = world instanceof PostgresWorld ? world.proxy.port : world.port
  const ports = await Promise.all(Array.from({ length: processes }, () => lastingPort()))
  const start = (port: number): Promise<ServerProcess> =>
    ServerProcess.start(framework, place, storePort, port)
  const running = await Promise.all(ports.map(start))
  const nginx = await startWebProxy('nginx', balancer(ports), 0)
  const traffic = new Traffic(nginx.port, perTick)
  const ends: Ended[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [i, port] of ports.entries()) {
        await sleep(pauseMs)
        ends.push(await (running[i] as ServerProcess).end())
        running[i] = await start(port)
      }
    }
    await sleep(pauseMs)
    const { answers, unanswered } = await traffic.stop()
    ends.push(...(await Promise.all(running.splice(0).map(one => one.end()))))
    const judgement = new Judgement()
    for (const [what, times] of unanswered) judgement.exactly(`requests that failed with ${what}`, times, 0)
    for (const fault of new Set(ends.flatMap(({ faults }) => faults))) judgement.missed.push(fault)
    await judgeCounters(judgement, answers, place, storePort)
    if (judgement.missed.length > 0) judgement.missed.push(...unusualOf(nginx.printed()))
    const passed = ROUTES.reduce(
      (sum, route) => sum + [...answers[route].values()].reduce((a, b) => a + b, 0),
      0,
    )
    const slowest = Math.round(Math.max(...ends.map(({ ms }) => ms)))
    const note = `${ends.length} processes ended, each within ${slowest} ms`
    return { fault, place, good: { passed, asked: traffic.asked }, note, missed: judgement.missed }
  } finally {
    await traffic.stop()
    await Promise.all(running.map(one => one.end()))
    await nginx.stop()
    await world.stop()
  }
}

/** What nginx says beside what a rolling deploy makes it say: that the process which is replaced takes no connection. */
function unusualOf(log: string): string[] {
  const errors = log.split('\n').filter(line => line !== '' && !line.includes('Connection refused'))
  return errors.slice(0, 5).map(line => `nginx: ${line}`)
}

/** Compares the counters of the store with what the clients have seen. */
async function judgeCounters(
  judgement: Judgement,
  answers: Answers,
  place: Place,
  storePort: number,
): Promise<void> {
  const opened = openStore(place, storePort)
  const { limiters } = makeKit(opened.store, () => {})
  const seen = (route: keyof Answers, ...statuses: number[]): number =>
    statuses.reduce((sum, status) => sum + (answers[route].get(status) ?? 0), 0)
  try {
    const left = async (route: keyof Answers): Promise<number> =>
      (await limiters[route].peek('all')).remaining
    judgement.exactly('units', LIMIT - (await left('units')), seen('units', 200))
    judgement.exactly('places', LIMIT - (await left('places')), 0)
    judgement.exactly('failed logins', LIMIT - (await left('logins')), seen('logins', 401))
    judgement.exactly('units that were not refunded', LIMIT - (await left('refunds')), seen('refunds', 404))
    // The lines are empty a second after the last caller has started.
    await sleep(1_000)
    for (const line of ['waits', 'acquires'] as const)
      judgement.exactly(`units in the line of ${line}`, POLICIES[line].burst - (await left(line)), 0)
    for (const route of ROUTES)
      for (const [status, times] of answers[route])
        if (!EXPECTED[route].includes(status)) judgement.exactly(`answers ${status} of ${route}`, times, 0)
  } finally {
    await limiters.units.close()
    opened.end()
  }
}

const EXPECTED: Readonly<Record<keyof Answers, readonly number[]>> = {
  units: [200],
  places: [200],
  logins: [200, 401],
  refunds: [200, 404],
  waits: [200, 429],
  acquires: [200, 429],
}

/**
 * nginx as a load balancer. It keeps connections open, and asks another process where one refuses or resets the connection. A
 * request that was answered by two processes would be counted twice, and so would miss a bound.
 */
function balancer(ports: readonly number[]): string {
  return `
    upstream app {
      ${ports.map(port => `server 127.0.0.1:${port} max_fails=0;`).join(' ')}
      keepalive 32;
    }
    server {
      listen 8080;
      location / {
        proxy_pass http://app;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_next_upstream error non_idempotent;
      }
    }`
}
