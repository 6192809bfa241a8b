import { describe, expect, it, vi } from 'vitest'

import { CompositeTelemetry, type Telemetry } from '../../src/index.ts'
import { times, view, world } from '../world.ts'

const policy = { name: 'p', limit: 1, window: 60 }

describe('CompositeTelemetry', () => {
  it('passes each hook on to all that have it', async () => {
    const one = { onCheck: vi.fn<() => void>(), onAllowed: vi.fn<() => void>() }
    const other = { onCheck: vi.fn<() => void>(), onBlocked: vi.fn<() => void>() }
    await times(2, world().limiter(policy, { telemetry: new CompositeTelemetry(one, other, {}) }))
    expect(
      [one.onCheck, other.onCheck, one.onAllowed, other.onBlocked].map(({ mock }) => mock.calls.length),
    ).toEqual([2, 2, 1, 1])
    expect(one.onCheck.mock.calls).toEqual(other.onCheck.mock.calls)
  })

  it('takes them in one list too', async () => {
    const one = { onCheck: vi.fn<() => void>() }
    const other = { onCheck: vi.fn<() => void>() }
    await times(2, world().limiter(policy, { telemetry: new CompositeTelemetry([one, other]) }))
    expect([one.onCheck.mock.calls.length, other.onCheck.mock.calls.length]).toEqual([2, 2])
  })

  it('has only the hooks that somebody hears', () => {
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
  ])('lets the others hear when one %s, and warns', async (_how, onCheck) => {
    const heard = vi.fn<() => void>()
    const { limiter, codes } = world()
    const telemetry = new CompositeTelemetry({ onCheck }, { onCheck: heard })
    await limiter(policy, { telemetry }).check(view())
    await new Promise(resolve => setImmediate(resolve))
    expect(heard).toHaveBeenCalledTimes(1)
    expect(codes()).toEqual(['HALT_W_TELEMETRY'])
  })

  it('keeps each telemetry’s own object', async () => {
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
