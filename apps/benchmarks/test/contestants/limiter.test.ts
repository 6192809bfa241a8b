// Sends each contestant of the limiter's part the same calls, so that all of them do the same work.
import { describe, expect, it } from 'vitest'

import type { Opened } from '../../src/contestants/contestant.ts'
import { loadMemory } from '../../src/contestants/index.ts'

/** Whether each of a number of calls was admitted. */
async function askTimes(opened: Opened<unknown>, key: string, times: number): Promise<boolean[]> {
  const found: boolean[] = []
  for (let i = 0; i < times; i++) {
    try {
      found.push(opened.admits(await opened.ask(key)))
    } catch (reason) {
      if (opened.isRefusal?.(reason) !== true) throw reason
      found.push(false)
    }
  }
  return found
}

const open = async (name: string, limit: number): Promise<Opened<unknown>> =>
  (await loadMemory(name)).open({ limit, windowMs: 600_000 })

describe('a limiter of the benchmark', () => {
  it.each([
    'check',
    'check-user',
    'check-api-key',
    'check-extractor',
    'check-three',
    'consume',
    'consume-three',
    'consume-quota',
    'flexible',
    'flexible-address',
    'flexible-union',
  ])('%s admits as many calls of a key as its limit', async name => {
    const opened = await open(name, 3)
    expect(await askTimes(opened, '11.22.33.44', 5)).toEqual([true, true, true, false, false])
    expect(await askTimes(opened, '11.22.33.55', 1)).toEqual([true])
  })

  it.each(['peek', 'flexible-get'])('%s reads a charged counter and charges nothing', async name => {
    const [two, one] = [await open(name, 2), await open(name, 1)]
    await two.prepare?.('client')
    await one.prepare?.('client')
    expect(await askTimes(two, 'client', 3)).toEqual([true, true, true])
    expect(await askTimes(one, 'client', 1)).toEqual([false])
  })
})
