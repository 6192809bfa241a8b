import { readFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'

import { overloadMetrics, PrometheusTelemetry } from '../src/index.ts'
import { dashboard, metricsIn, queries, rules } from './queries.ts'
import { drive } from './traffic.ts'

/** The labels of each metric that a telemetry exports. */
async function exported(): Promise<Map<string, Set<string>>> {
  const register = new Registry()
  await drive(new PrometheusTelemetry({ register }))
  const tiers = { critical: 0, normal: 0, batch: 0 }
  const state = { limit: 4, inFlight: 0, ageMs: 0, insideMs: 0, calmMs: 0, sheds: [], rebaselines: 0 }
  overloadMetrics({ name: 'shop', state: { ...state, refused: tiers, admitted: tiers } }, { register })
  const found = new Map<string, Set<string>>()
  for (const line of (await register.metrics()).split('\n')) {
    const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? []
    if (name === undefined) continue
    const known = found.get(name) ?? new Set(['job', 'instance'])
    for (const [, label] of labels.matchAll(/(\w+)=/g)) known.add(label as string)
    found.set(name, known)
  }
  return found
}

const alerts = [...rules.matchAll(/- alert: (\w+)\n\s+expr: (?:\|\n([\s\S]*?)\n\s+for:|(.*)\n)/g)].map(
  ([, name = '', block, line]) => [name, block ?? line ?? ''] as const,
)
// In the tests that promtool runs.
const cases = readFileSync(new URL('alerts.yml', import.meta.url), 'utf8')
const firing = [...cases.matchAll(/alertname: (\w+)\n\s+exp_alerts:\n\s+- exp_labels:/g)].map(
  ([, name]) => name,
)
const all = [...queries, ...alerts]

describe('the dashboard and the alerts', () => {
  it('the parser finds all queries of the dashboard and all alerts', () => {
    expect(queries.length).toBeGreaterThanOrEqual(16)
    expect(alerts).toHaveLength(rules.match(/alert:/g)?.length ?? 0)
  })

  it.each(all)('%s uses only exported metrics and labels', async (_name, query) => {
    const metrics = await exported()
    const asked = metricsIn(query)
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.filter(name => !metrics.has(name))).toEqual([])
    const labels = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '))
    for (const [, matchers = ''] of query.matchAll(/\{([^}]*)\}/g))
      for (const [, label = ''] of matchers.matchAll(/(\w+)=/g)) labels.push(label)
    const known = new Set(asked.flatMap(name => [...(metrics.get(name) ?? [])]))
    expect(labels.filter(label => !known.has(label))).toEqual([])
  })

  it('a promtool test expects each alert to fire', () => {
    // outage-alerts.test.ts simulates what these two tell of.
    expect(new Set([...firing, 'HaltStoreErrors', 'HaltDegraded'])).toEqual(
      new Set(alerts.map(([name]) => name)),
    )
  })

  it('the dashboard and the alerts use every metric', async () => {
    const seen = new Set(all.flatMap(([, query]) => metricsIn(query)))
    expect([...(await exported()).keys()].filter(name => !seen.has(name))).toEqual([])
  })
})

describe('the dashboard', () => {
  it('the dashboard works in any Grafana and with any job', () => {
    expect(dashboard).toMatchObject({ id: null, uid: 'halt' })
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'policy'])
    const text = JSON.stringify(dashboard)
    expect(new Set([...text.matchAll(/"type":"prometheus","uid":"([^"]*)"/g)].map(([, uid]) => uid))).toEqual(
      new Set(['${datasource}']),
    )
    expect(queries.filter(([, query]) => !query.includes('job=~"$job"'))).toEqual([])
  })

  it('the panels of the dashboard do not overlap', () => {
    const taken = new Set<string>()
    for (const { gridPos: at, title } of dashboard.panels) {
      expect(at.x + at.w, title).toBeLessThanOrEqual(24)
      for (let x = at.x; x < at.x + at.w; x++)
        for (let y = at.y; y < at.y + at.h; y++) {
          expect(taken.has(`${x},${y}`), `${title} at ${x},${y}`).toBe(false)
          taken.add(`${x},${y}`)
        }
    }
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  })
})
