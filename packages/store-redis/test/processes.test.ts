import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { describe, expect, inject, it } from 'vitest'

const CHILD = fileURLToPath(new URL('process-child.mjs', import.meta.url))

/** Runs a process whose clock is `skew` milliseconds off and which asks 640 times, 64 at once; gives what was let in. */
async function admittedBy(url: string, prefix: string, skew: number): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, url, prefix, String(skew), '640'])
  return Number(stdout.trim().split('\n').pop())
}

describe('four processes with skewed clocks on one Redis', () => {
  it('admit exactly 1000 of 1000', { timeout: 60_000 }, async () => {
    const skews = [0, 30_000, -30_000, 3_600_000]
    const admitted = await Promise.all(skews.map(skew => admittedBy(inject('redisUrl'), `procs${process.pid}:`, skew)))
    expect(admitted.reduce((sum, n) => sum + n)).toBe(1000)
  })
})
