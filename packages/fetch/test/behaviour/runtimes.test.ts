import { expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { runInBun, runInDeno } from '../../../../tools/other-runtimes.ts'
import { runInWorkerd } from '../../../../tools/workerd.ts'

const RUNTIMES = {
  Bun: () => runInBun(new URL('../runtimes/bun.ts', import.meta.url)),
  Deno: () => runInDeno(new URL('../runtimes/deno.ts', import.meta.url)),
  workerd: () => runInWorkerd(new URL('../runtimes/workerd.ts', import.meta.url)),
}
// In the short form Bun meets the suite by this adapter, and workerd by another.
const SHORT: readonly (keyof typeof RUNTIMES)[] = ['Bun']

it.each(isFull ? (Object.keys(RUNTIMES) as (keyof typeof RUNTIMES)[]) : SHORT)(
  'the suite of all adapters passes on %s',
  async name => {
    const { passed, failed } = await RUNTIMES[name]()
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(isFull ? 300 : 150)
  },
)
