import { describe, expect, it } from 'vitest'

import { callAtEnd } from '../../src/guard/subscription.ts'

describe('callAtEnd', () => {
  it('callAtEnd calls back once if an iterator is exhausted, fails, returns or is thrown into', async () => {
    async function* values(fail: boolean) {
      yield 1
      if (fail) throw new Error('broken')
    }
    for (const end of [
      async (iterator: AsyncIterator<unknown>) => void (await iterator.next()),
      async (iterator: AsyncIterator<unknown>) => void (await iterator.return?.()),
      async (iterator: AsyncIterator<unknown>) =>
        void (await iterator.throw?.(new Error('no')).catch(() => {})),
    ]) {
      let times = 0
      const iterator = callAtEnd(values(false), () => times++)
      await iterator.next()
      expect(times).toBe(0)
      await end(iterator)
      await end(iterator)
      expect(times).toBe(1)
    }
    let failures = 0
    const broken = callAtEnd(values(true), () => failures++)
    await broken.next()
    await expect(broken.next()).rejects.toThrow('broken')
    expect(failures).toBe(1)
    // An iterator with only next().
    const bare = callAtEnd({ next: async () => ({ done: false, value: 1 }) }, () => failures++)
    expect(await bare.return?.(2)).toEqual({ done: true, value: 2 })
    await expect(bare.throw?.(new Error('no'))).rejects.toThrow('no')
    expect(failures).toBe(2)
  })
})
