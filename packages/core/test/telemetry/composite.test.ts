import { describe, expect, it, vi } from 'vitest'

import { CompositeTelemetry, type Telemetry } from '../../src/index.ts'
import { times, view, world } from '../world.ts'

const policy = { name: 'p', limit: 1, window: 60 }

describe('CompositeTelemetry', () => {
  it('CompositeTelemetry passes each hook call to all telemetries that have the hook', async () => {
    const one = { onCheck: vi.fn<() => void>(), onAllowed: vi.fn<() => void>() }
    const other = { onCheck: vi.fn<() => void>(), onBlocked: vi.fn<() => void>() }
    await times(2, world().limiter(policy, { telemetry: new CompositeTelemetry(one, other, {}) }))
    expect(
      [one.onCheck, other.onCheck, one.onAllowed, other.onBlocked].map(({ mock }) => mock.calls.length),
    ).toEqual([2, 2, 1, 1])
    expect(one.onCheck.mock.calls).toEqual(other.onCheck.mock.calls)
  })

  it('CompositeTelemetry takes the telemetries in one array as well', async () => {
    const one = { onCheck: vi.fn<() => void>() }
    const other = { onCheck: vi.fn<() => void>() }
    await times(2, world().limiter(policy, { telemetry: new CompositeTelemetry([one, other]) }))
    expect([one.onCheck.mock.calls.length, other.onCheck.mock.calls.length]).toEqual([2, 2])
  })

  it('CompositeTelemetry has only the hooks that a telemetry has', () => {
    expect(Object.keys(new CompositeTelemetry({ onCheck: () => {} }, { onBlocked: () => {} }))).toEqual([
      'onCheck',
      'onBlocked',
    ])
    expect(Object.keys(new CompositeTelemetry())).toEqual([])
  })

  it.each([
    [
      'throws',
      (): unknown => {
        throw new Error('broken')
      },
    ],
    ['rejects', (): unknown => Promise.reject(new Error('broken'))],
  ])('CompositeTelemetry calls the other telemetries when one %s, and warns', async (_how, onCheck) => {
    const heard = vi.fn<() => void>()
    const { limiter, codes } = world()
    const telemetry = new CompositeTelemetry({ onCheck }, { onCheck: heard })
    await limiter(policy, { telemetry }).check(view())
    await new Promise(resolve => setImmediate(resolve))
    expect(heard).toHaveBeenCalledTimes(1)
    expect(codes()).toEqual(['HALT_W_TELEMETRY'])
  })

  it('CompositeTelemetry calls each hook on its own object', async () => {
    class Counter implements Telemetry {
      checks = 0
      onCheck(): void {
        this.checks++
      }
    }
    const counter = new Counter()
    const telemetry = new CompositeTelemetry(new CompositeTelemetry(counter))
    await times(2, world().limiter(policy, { telemetry }))
    expect(counter.checks).toBe(2)
  })
})
