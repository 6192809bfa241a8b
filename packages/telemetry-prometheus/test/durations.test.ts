import { describe, expect, it } from 'vitest'

import { BUCKETS, DurationFamily } from '../src/durations.ts'

describe('DurationFamily', () => {
  it('DurationFamily counts a duration in its bucket and all above, and a bound in its own bucket', async () => {
    const family = new DurationFamily('d', 'help', 'store', [0.1, 1, 10])
    for (const seconds of [0, 0.1, 0.100_1, 1, 9, 11]) family.of('memory').observe(seconds)
    const { values } = await family.get()
    expect(values.map(({ metricName, labels, value }) => [metricName, labels['le'], value])).toEqual([
      ['d_bucket', 0.1, 2],
      ['d_bucket', 1, 4],
      ['d_bucket', 10, 5],
      ['d_bucket', '+Inf', 6],
      ['d_sum', undefined, 21.2001],
      ['d_count', undefined, 6],
    ])
  })

  it('DurationFamily keeps stores apart, and returns the same object each time', async () => {
    const family = new DurationFamily('d', 'help', 'store', BUCKETS)
    family.of('memory').observe(1)
    expect(family.of('memory')).toBe(family.of('memory'))
    family.of('redis').observe(2)
    const sums = (await family.get()).values.filter(({ metricName }) => metricName === 'd_sum')
    expect(sums.map(({ labels, value }) => [labels['store'], value])).toEqual([
      ['memory', 1],
      ['redis', 2],
    ])
  })
})
