import { describe, expect, it } from 'vitest'

import type { HaltWarning } from '../../src/index.ts'
import { noticeFullBucket } from '../../src/misuse/numbers.ts'
import { compilePolicy } from '../../src/policy/compiled-policy.ts'
import type { Policy } from '../../src/policy/policy.ts'

const calls = { name: 'calls', limit: 10, window: 1 } as const

/** The warnings about policies for which callers wait. */
function warnings(...policies: Policy[]): HaltWarning[] {
  const found: HaltWarning[] = []
  const compiled = policies.map(policy => compilePolicy(policy, { multiplier: undefined, keysPerAddress: 1 }))
  noticeFullBucket(compiled, warning => void found.push(warning))
  return found
}

describe('noticeFullBucket', () => {
  it('noticeFullBucket says how many callers may start in the first window, and what to write', () => {
    expect(warnings(calls)).toEqual([
      {
        code: 'HALT_W_FULL_BUCKET',
        message:
          'Callers wait for "calls", a bucket that is full at first. So 19 of them may start within the first 1 s, and 10 of these at once.',
        fix: 'Write burst: 1 for an even pace, algorithm: "sliding-window" for 10 in any 1 s, or burst: 10 if you mean it.',
      },
    ])
    expect(warnings({ ...calls, window: '90s' })[0]?.message).toContain('the first 90 s')
    expect(warnings({ ...calls, window: '2h' })[0]?.message).toContain('the first 2 h')
    expect(warnings({ ...calls, window: '250ms' })[0]?.message).toContain('the first 250 ms')
  })

  it('noticeFullBucket warns once of several policies', () => {
    expect(warnings(calls, { ...calls, name: 'others' })).toHaveLength(1)
  })

  it('noticeFullBucket is silent about a burst that somebody wrote, and about policies that have none', () => {
    const silent: Policy[] = [
      { ...calls, burst: 1 },
      { ...calls, burst: 10 },
      { ...calls, limit: 1 },
      { ...calls, mode: 'off' },
      { ...calls, mode: 'shadow' },
      { ...calls, algorithm: 'fixed-window' },
      { name: 'month', limit: 10, period: 'monthly' },
      { name: 'pool', limit: 10, algorithm: 'concurrency', ttl: '30s' },
    ]
    for (const policy of silent) expect(warnings(policy)).toEqual([])
  })
})
