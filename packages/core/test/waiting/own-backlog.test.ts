// A fair caller behind others of its own tenant: it cannot start before them, so it knows its wait.
import { expect, it } from 'vitest'

import type { Given } from '../line/several/counters.ts'
import { aTown } from '../line/several/town-rows.ts'
import { inVirtualTime } from '../line/rows.ts'

inVirtualTime()

const RATE = 10
const fair: Given = {
  name: 'fair',
  keyStrategy: 'shared',
  limit: RATE,
  window: '1s',
  burst: 2,
  fair: { by: 'user' },
}

for (const others of [0, 1, 3])
  it(`a fair caller behind 20 of its own tenant is refused at once with a wait that is true: ${others} other tenants`, async () => {
    const town = await aTown({ policies: [fair] })
    for (let o = 0; o < others; o++)
      for (let i = 0; i < 4; i++) town.work({ client: `other${o}`, maxWaitMs: 600_000 })
    for (let i = 0; i < 20; i++) town.ask({ client: 'own', maxWaitMs: 600_000 })
    await town.pass(500)
    const ahead = town.waiting.filter(({ client }) => client === 'own').length
    const late = town.ask({ client: 'own', maxWaitMs: 1000 })
    await town.pass(50)
    expect(late.end).toBe('refused')
    // Those ahead take the whole limit at most.
    expect(late.retryAfter! / 1e6).toBeGreaterThanOrEqual((ahead - 2) / RATE)
    const ofOwn = () => town.starts.filter(({ client }) => client === 'own')
    for (let i = 0; i < 60 && ofOwn().length < 20; i++) await town.pass(500)
    const own = ofOwn()
    expect(own).toHaveLength(20)
    // Whoever comes then finds nobody of its tenant before it, or waits no longer than others take their turns.
    const last = own.at(-1)!.endedAt - late.endedAt!
    expect(late.retryAfter!).toBeLessThanOrEqual(1.2 * last + 1e6)
    town.until = 0
    for (const { leaving } of town.waiting) leaving.abort()
    await town.pass(4000)
  })
