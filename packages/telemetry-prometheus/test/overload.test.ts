import { Counter, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'

import { type MeasuredShedder, overloadMetrics } from '../src/index.ts'
import { samples } from './traffic.ts'

const state: MeasuredShedder['state'] = {
  limit: 4,
  inFlight: 3,
  ageMs: 21,
  insideMs: 5,
  calmMs: 5,
  sheds: ['batch'],
  refused: { critical: 0, normal: 1, batch: 7 },
  admitted: { critical: 2, normal: 3, batch: 4 },
  rebaselines: 1,
}

describe('overloadMetrics', () => {
  it('overloadMetrics reads the state of a shedder at a scrape', async () => {
    const register = new Registry()
    const shedder = { name: 'shop', state: { ...state } }
    overloadMetrics(shedder, { register })
    expect(Object.fromEntries(await samples(register))).toMatchObject({
      'halt_overload_limit{shedder="shop"}': 4,
      'halt_overload_in_flight{shedder="shop"}': 3,
      'halt_overload_shedding{shedder="shop"}': 1,
      'halt_overload_seconds{shedder="shop",part="loop"}': 0.021,
      'halt_overload_requests_total{shedder="shop",tier="batch",outcome="refused"}': 7,
      'halt_overload_rebaselines_total{shedder="shop"}': 1,
    })
    shedder.state = { ...state, sheds: [], inFlight: 0 }
    expect(Object.fromEntries(await samples(register))).toMatchObject({
      'halt_overload_in_flight{shedder="shop"}': 0,
      'halt_overload_shedding{shedder="shop"}': 0,
    })
  })

  it('overloadMetrics takes several shedders, and one of them twice', async () => {
    const register = new Registry()
    const shop = { name: 'shop', state }
    for (const each of [shop, { name: 'admin', state }, shop]) overloadMetrics(each, { register })
    const found = await samples(register)
    expect(found.get('halt_overload_limit{shedder="shop"}')).toBe(4)
    expect(found.get('halt_overload_limit{shedder="admin"}')).toBe(4)
  })

  it('overloadMetrics refuses something that is not a shedder, and a name that is taken', () => {
    const register = new Registry()
    expect(() => overloadMetrics({} as never, { register })).toThrow(
      expect.objectContaining({ code: 'HALT_E_OPTION' }),
    )
    register.registerMetric(new Counter({ name: 'halt_overload_limit', help: '-', registers: [] }))
    expect(() => overloadMetrics({ name: 'shop', state }, { register })).toThrow(
      expect.objectContaining({ code: 'HALT_E_METRIC_TAKEN' }),
    )
  })
})
