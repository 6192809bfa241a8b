import { describe, expect, it } from 'vitest'

import { failureOf, readNight } from '../../../../tools/night.mjs'

const night = { commit: 'abc', seed: '7', order: '9', node: '20.19.0', date: '2026-12-01' }
const log = `
 ✓ packages/core test/line/histories.test.ts
[31m FAIL [39m packages/core test/line/histories.test.ts > a line > is reset
HALT_KIND='is reset' HALT_SEED=7 HALT_PATH=12 {"steps":[]}
 FAIL  packages/core test/line/histories.test.ts > a line > is reset

--- lint
Failed: tests, lint

11 passed, 1 failed, 0 skipped
`

describe('the record of a night', () => {
  it('a record names each failure once, and the line that plays its history again', () => {
    expect(readNight(log, night)).toEqual({
      ...night,
      counts: '11 passed, 1 failed, 0 skipped',
      failed: ['packages/core test/line/histories.test.ts > a line > is reset', 'tests, lint'],
      replays: [`HALT_KIND='is reset' HALT_SEED=7 HALT_PATH=12`],
    })
  })

  it('a night without a failure asks for no issue', () => {
    const green = readNight('\n12 passed, 0 failed, 0 skipped\n', night)
    expect(green).toMatchObject({ counts: '12 passed, 0 failed, 0 skipped', failed: [], replays: [] })
    expect(failureOf(green)).toBeUndefined()
  })

  it('an issue tells how to draw the same cases, and to play the history again', () => {
    const text = failureOf(readNight(log, night))
    expect(text).toContain('At abc, on Node 20.19.0: 11 passed, 1 failed, 0 skipped.')
    expect(text).toContain('`HALT_SEED=7 HALT_ORDER=9 npm test -- --full`')
    expect(text).toContain(`- \`HALT_KIND='is reset' HALT_SEED=7 HALT_PATH=12\``)
  })

  it('a run that was cut off is a failure', () => {
    expect(failureOf(readNight(' ✓ a file\n', night))).toContain('the run did not end')
  })
})
