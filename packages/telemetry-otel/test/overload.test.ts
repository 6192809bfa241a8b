import { expect, it } from 'vitest'

import { overloadMetrics } from '../src/index.ts'
import { metering } from './otel.ts'

const state = {
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

it('overloadMetrics observes a shedder when metrics are collected, until it is told to end', async () => {
  const { meterProvider, points } = metering()
  const end = overloadMetrics({ name: 'shop', state }, { meterProvider })
  const own = { 'halt.shedder': 'shop' }
  expect(await points('halt.overload.limit')).toEqual([{ attributes: own, value: 4 }])
  expect(await points('halt.overload.shedding')).toEqual([{ attributes: own, value: 1 }])
  expect(await points('halt.overload.duration')).toContainEqual({
    attributes: { ...own, 'halt.part': 'loop' },
    value: 0.021,
  })
  expect(await points('halt.overload.requests')).toContainEqual({
    attributes: { ...own, 'halt.tier': 'batch', 'halt.outcome': 'refused' },
    value: 7,
  })
  expect(await points('halt.overload.rebaselines')).toEqual([{ attributes: own, value: 1 }])
  end()
})

it('overloadMetrics refuses something that is not a shedder', () => {
  expect(() => overloadMetrics({} as never)).toThrow(expect.objectContaining({ code: 'HALT_E_OPTION' }))
})
