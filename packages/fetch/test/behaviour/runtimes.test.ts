import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { runInBun, runInDeno } from '../../../../tools/other-runtimes.ts'
import { runInWorkerd } from '../../../../tools/workerd.ts'

describe('the suite of all adapters', () => {
  it('the suite of all adapters passes on Bun', async () => {
    const { passed, failed } = await runInBun(new URL('../runtimes/bun.ts', import.meta.url))
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(isFull ? 300 : 150)
  })

  it('the suite of all adapters passes on Deno', async () => {
    const { passed, failed } = await runInDeno(new URL('../runtimes/deno.ts', import.meta.url))
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(isFull ? 300 : 150)
  })

  if (isFull)
    it('the suite of all adapters passes on workerd', async () => {
      const { passed, failed } = await runInWorkerd(new URL('../runtimes/workerd.ts', import.meta.url))
      expect(failed).toEqual([])
      expect(passed).toBeGreaterThan(isFull ? 300 : 150)
    })
})
