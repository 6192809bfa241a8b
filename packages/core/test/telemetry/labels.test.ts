import { describe, expect, it } from 'vitest'

import { LabelSet, LoggingTelemetry, type MetricsClient, MetricsTelemetry } from '../../src/index.ts'
import { mistake, view, world } from '../world.ts'

describe('LabelSet', () => {
  it('LabelSet keeps the first values, and names all later ones "other"', () => {
    const names = new LabelSet(2)
    expect(['a', 'b', 'a', 'c', 'd', 'b'].map(name => names.of(name))).toEqual([
      'a',
      'b',
      'a',
      'other',
      'other',
      'b',
    ])
  })

  it('LabelSet keeps a hundred by default', () => {
    const names = new LabelSet()
    const found = new Set(Array.from({ length: 100_000 }, (_, i) => names.of(`p${i}`)))
    expect(found.size).toBe(101)
  })
})

describe('an invalid size', () => {
  it.each([0, -1, 1.5, Number.NaN, '5' as never])('a size of %s is refused with a code', size => {
    expect(mistake(() => new LabelSet(size)).code).toBe('HALT_E_OPTION')
    const client = { increment() {}, gauge() {}, histogram() {} }
    expect(mistake(() => new MetricsTelemetry(client, { maxPolicies: size })).code).toBe('HALT_E_OPTION')
  })
})

describe('a client that lacks a method', () => {
  it.each([undefined, null, 'statsd', {}, { increment() {}, gauge() {} }])(
    'MetricsTelemetry refuses %o as its client when it is made',
    client => {
      expect(mistake(() => new MetricsTelemetry(client as never)).code).toBe('HALT_E_OPTION')
    },
  )

  it.each([undefined, { secret: 'a secret that is long' }, { warn() {} }])(
    'LoggingTelemetry refuses %o as its logger when it is made',
    logger => {
      expect(mistake(() => new LoggingTelemetry(logger as never)).fix).toContain('debug, info, warn, error')
    },
  )
})

describe('the tags of MetricsTelemetry', () => {
  it('the tags of MetricsTelemetry stay bounded with a policy per customer', async () => {
    const tags = new Set<string>()
    const note: MetricsClient['gauge'] = (name, _value, { policy }) => void tags.add(`${name} ${policy}`)
    const client = { increment: note, gauge: note, histogram: () => {} }
    const telemetry = new MetricsTelemetry(client, { maxPolicies: 5 })
    let customer = 0
    const limiter = world().limiter(() => ({ name: `c${customer}`, limit: 1, window: 60 }), { telemetry })
    for (; customer < 300; customer++) await limiter.check(view())
    // Three metrics, each with five names and "other".
    expect(tags.size).toBe(18)
    expect(tags).toContain('halt.checks.total other')
  })

  it('the tags of MetricsTelemetry contain no routes', async () => {
    const tags = new Set<string>()
    const note: MetricsClient['gauge'] = (_name, _value, all) => void tags.add(JSON.stringify(all))
    const telemetry = new MetricsTelemetry({ increment: note, gauge: note, histogram: note })
    const policy = { name: 'p', limit: 5, window: 60, scope: 'route' } as const
    const limiter = world().limiter(policy, { telemetry })
    for (let i = 0; i < 20_000; i++) void limiter.checkView(view({ route: `/r/${i}`, ip: '203.0.113.7' }))
    expect(tags.size).toBeLessThan(10)
  })
})
