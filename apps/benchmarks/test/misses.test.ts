import { beforeAll, describe, expect, it } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { addedMisses, countMisses, type Misses, totalOf } from '../src/inprocess/misses.ts'
import { appOf } from '../src/scenes.ts'

/**
 * The most inline-cache misses that Halt may add to a request of the bare app. Express gives each request hidden classes of
 * its own, so there each first read of a property costs some half a microsecond. Lower this when Halt reads less.
 */
const CEILINGS = { express: 1 } as const

/** What other middlewares are known to miss. */
const OTHERS: readonly [string, unknown][] = [
  ['three headers', []],
  ['express-rate-limit', expect.arrayContaining(['headersSent', 'ip', 'method'])],
]

const SCRIPT = new URL('../src/inprocess/misses-run.ts', import.meta.url).href
const FLAGS = [`--import=${new URL('typescript-hook.mjs', import.meta.url).href}`, '--conditions=halt-source']

const count = (limiter: string): Promise<Misses> =>
  countMisses(appOf('express', limiter, 'at once'), SCRIPT, FLAGS)

describe('inline-cache misses on Express', () => {
  let bare: Misses
  let halt: Misses
  beforeAll(async () => {
    ;[bare, halt] = await Promise.all([count('bare'), count('halt')])
  })

  it(`Halt adds at most ${CEILINGS.express} miss to a request`, () => {
    const added = addedMisses(bare, halt)
    expect(added.count, `Halt misses ${added.names.join(', ')}.`).toBeLessThanOrEqual(CEILINGS.express)
  })

  it('the count finds the misses of the bare app', () => {
    expect(totalOf(bare)).toBeGreaterThan(80)
  })

  // The full form tries the measurement itself in more processes.
  for (const [limiter, names] of isFull ? OTHERS : [])
    it(`the count finds the misses of ${limiter}`, async () => {
      expect(addedMisses(bare, await count(limiter)).names).toEqual(names)
    })
})
