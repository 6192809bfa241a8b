// Runs the dashboard's queries and the alerts on a real Prometheus that scrapes real traffic.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InMemoryStore } from '@halt/store-memory'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { overloadMetrics, PrometheusTelemetry } from '../src/index.ts'
import {
  hasPrometheus,
  MISSING,
  type PrometheusServer,
  promtool,
  startPrometheus,
} from './prometheus-server.ts'
import { filled, queries, RULES } from './queries.ts'
import { drive } from './traffic.ts'

const ALERTS = new URL('alerts.yml', import.meta.url).pathname

// Prints why, and counts as skipped.
const missing = hasPrometheus ? [] : [MISSING]
missing.forEach(why => console.warn(why))
it.for(missing)('%s', (why, { skip }) => skip(why))

describe.skipIf(!hasPrometheus)('a real Prometheus', () => {
  let app: Server
  let prometheus: PrometheusServer
  let traffic: NodeJS.Timeout
  const register = new Registry()

  beforeAll(async () => {
    const telemetry = new PrometheusTelemetry({ register })
    const store = new InMemoryStore()
    const tiers = { critical: 1, normal: 2, batch: 3 }
    const state = {
      limit: 4,
      inFlight: 2,
      ageMs: 5,
      insideMs: 5,
      calmMs: 5,
      sheds: ['batch'],
      rebaselines: 1,
    }
    overloadMetrics({ name: 'shop', state: { ...state, refused: tiers, admitted: tiers } }, { register })
    traffic = setInterval(() => void drive(telemetry, store), 100)
    app = createServer((_request, response) => {
      void register.metrics().then(text => {
        response.setHeader('Content-Type', register.contentType)
        response.end(text)
      })
    })
    await new Promise<void>(resolve => app.listen(0, '127.0.0.1', resolve))
    prometheus = await startPrometheus(`127.0.0.1:${(app.address() as AddressInfo).port}`, RULES)
    await until(async () => {
      const [rate] = await prometheus.query('sum(rate(halt_checks_total[10s]))')
      return Number(rate?.value[1]) > 0
    })
  })

  afterAll(async () => {
    clearInterval(traffic)
    await prometheus?.stop()
    app?.close()
  })

  it.each(queries)('a real Prometheus has data for %s', async (_name, query) => {
    const found = await prometheus.query(filled(query, '10s'))
    expect(found.length).toBeGreaterThan(0)
    for (const { value } of found) expect(Number(value[1])).toBeGreaterThanOrEqual(0)
    expect(found.some(({ value }) => Number.isFinite(Number(value[1])))).toBe(true)
  })

  it('a real Prometheus returns the same numbers that were counted', async () => {
    clearInterval(traffic)
    const counted = async (): Promise<number> => {
      const { values } = await register.getSingleMetric('halt_blocked_total')!.get()
      return values.reduce((sum, { value }) => sum + value, 0)
    }
    await until(async () => {
      const [total] = await prometheus.query('sum(halt_blocked_total)')
      return Number(total?.value[1]) === (await counted())
    })
    expect(await counted()).toBeGreaterThan(0)
  })

  it('promtool accepts the scrape and the rules', async () => {
    expect(await promtool(['check', 'metrics'], await register.metrics())).toBe('')
    expect(await promtool(['check', 'rules', RULES])).toContain('SUCCESS')
  })

  it('each alert fires when it should, and only then', async () => {
    expect(await promtool(['test', 'rules', ALERTS])).toContain('SUCCESS')
  })
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('It did not come true within 30 seconds.')
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
