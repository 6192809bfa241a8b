import { afterAll, beforeAll, expect, it } from 'vitest'

import type { Policy } from '../../src/index.ts'
import { loadCore, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import { alice, day, withBudget } from './budget-world.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

const turns: Policy = { name: 'turns', limit: 1, window: '5s', burst: 1, keyStrategy: 'user' }

it('a limiter that closes keeps what calls hold until the line has ended, and no longer', () =>
  withBudget(
    core,
    async ({ limiter, soon, pass, read }) => {
      const running = await soon(limiter.reserve(alice, { cost: { turns: 0, day: 400 }, ttl: '1s' }))
      await soon(limiter.acquire(alice, { cost: { turns: 1, day: 0 } }))
      const turn = limiter.acquire(alice, { cost: { turns: 1, day: 0 } })
      await pass(0)
      let isClosed = false
      const closing = limiter.close({ finishLine: '30s' }).then(() => (isClosed = true))
      await pass(4500)
      expect([isClosed, await read()]).toEqual([false, [0, 400]])
      // Somebody whose turn has come holds units, too.
      await pass(490)
      const last = limiter.reserve(alice, { cost: { turns: 0, day: 100 }, ttl: '1s' })
      await pass(1000)
      await Promise.all([turn, last, closing])
      expect(running.signal.aborted).toBe(false)
      await pass(1500)
      expect(await read()).toEqual([0, 0])
    },
    { policy: [turns, day] },
  ))
