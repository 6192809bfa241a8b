import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import type { AnyPolicy } from '@halt/core'
import { describe, expect, inject, it } from 'vitest'

const CHILD = fileURLToPath(new URL('process-child.mjs', import.meta.url))
const SKEWS = [0, 30_000, -30_000, 3_600_000]

/** Runs four processes that ask 640 times each, 64 at once, their clocks apart; gives how many were let in. */
async function admitted(policy: AnyPolicy, skews: readonly number[]): Promise<number> {
  const prefix = `procs${process.pid}-${policy.name}:`
  const run = async (skew: number): Promise<number> => {
    const args = [CHILD, inject('redisUrl'), prefix, String(skew), '640', JSON.stringify(policy)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    return Number(stdout.trim().split('\n').pop())
  }
  const counts = await Promise.all(skews.map(run))
  return counts.reduce((sum, count) => sum + count)
}

describe('four processes on one Redis', () => {
  it(
    'admit exactly 1000 of 1000, their clocks half a minute and an hour apart',
    { timeout: 120_000 },
    async () => {
      expect(await admitted({ name: 'bucket', limit: 1000, window: 3600 }, SKEWS)).toBe(1000)
    },
  )

  it('admit exactly 1000 of a quota of 1000', { timeout: 120_000 }, async () => {
    // A year, so that a clock's hour does not change the period.
    expect(await admitted({ name: 'quota', limit: 1000, period: 'yearly' }, [0, 30_000, -30_000, 0])).toBe(
      1000,
    )
  })
})
