import { describe, expect, it } from 'vitest'

import { ManualClock } from '../../src/testing/index.ts'

describe('a manual clock', () => {
  it('a manual clock stands still until it is told to move, by seconds or by a text', () => {
    const clock = new ManualClock(1_000)
    expect(clock.now()).toBe(1_000)
    for (const by of [1, 0.25, '10s', '500ms', 0, 0.0005]) clock.advance(by)
    expect(clock.now()).toBe(12_750.5)
  })

  it('a manual clock moves as far as it is told', () => {
    const clock = new ManualClock(0)
    clock.advance('3650d')
    expect(clock.now()).toBe(3650 * 86_400_000)
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '-1s', 'soon', undefined])(
    'a manual clock does not move by %s',
    by => {
      expect(() => new ManualClock().advance(by as number)).toThrowError(
        expect.objectContaining({ code: 'HALT_E_DURATION' }),
      )
    },
  )

  it.each(['2026-01-31', Number.NaN, -1, Number.POSITIVE_INFINITY])('a clock does not start at %s', start => {
    expect(() => new ManualClock(start as number)).toThrowError(
      expect.objectContaining({ code: 'HALT_E_OPTION', message: expect.stringContaining('cannot start at') }),
    )
  })

  it('a manual clock starts at a whole second', () => {
    expect(new ManualClock().now() % 1000).toBe(0)
  })
})
