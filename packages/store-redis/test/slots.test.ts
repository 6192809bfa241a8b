import type { Demand, Group } from '@halt/core/store'
import { Mode } from '@halt/core/store'
import { ReferenceStore } from '@halt/core/testing'
import { expect, it } from 'vitest'

import { keyWriter, slotOf } from '../src/keys.ts'
import { decideAcross } from '../src/slots.ts'

const rule = (cell: string, capacity: number, block = 0): Demand['rule'] => ({
  letter: 'f',
  cell,
  limit: capacity,
  capacity,
  unit: 1,
  rate: 1,
  window: 60e6,
  slice: 6e6,
  precision: 10,
  block,
  reduced: undefined,
})
const charge = (subject: string, of: Demand['rule']): Demand => ({
  rule: of,
  subject,
  cost: 1,
  mode: Mode.CHARGE,
  penalized: false,
})
const key = keyWriter('h:', false, text => text)
const login = rule('login:f', 1, 10e6)
const everybody = rule('all:f', 1)
const ROUND_TRIP_MS = 20

/** Three stores behind a network that takes its time, as the nodes of a cluster: what was sent comes to each in order. */
function cluster(): { ask(group: Group): Promise<boolean>; calls: [slot: number, group: Group][] } {
  const now = Date.now()
  const stores = [1, 2, 3].map(() => new ReferenceStore(() => now))
  const calls: [number, Group][] = []
  const send = async (slot: number, part: Group) => {
    calls.push([slot, part])
    const verdict = (stores[slot % 3] as ReferenceStore).evaluate(part)
    await new Promise(resolve => setTimeout(resolve, ROUND_TRIP_MS))
    return verdict
  }
  return {
    calls,
    ask: async group => (await decideAcross(group, key, send, async () => {})).allowed,
  }
}

it('charges a counter with a cool-down only when all others have passed, so that giving back starts none', async () => {
  const { ask } = cluster()
  expect(await ask({ demands: [charge('all', everybody)] })).toBe(true)
  // Refused by "everybody": must not be seen by the other at the counter of the address.
  const first = ask({ demands: [charge('ip', login), charge('all', everybody)] })
  const second = ask({ demands: [charge('ip', login)] })
  expect(await Promise.all([first, second])).toEqual([false, true])
})

it('takes nothing at all from who is refused, and starts only the cool-down of the policy that refuses', async () => {
  const { ask, calls } = cluster()
  expect(await ask({ demands: [charge('ip', login), charge('all', everybody)] })).toBe(true)
  const other = [charge('ip2', login), charge('all', everybody)]
  expect(await ask({ demands: other })).toBe(false)
  expect(await ask({ demands: [charge('ip2', login)] })).toBe(true)
  // The cool-down of an address that refuses itself starts, whatever the other says.
  const before = calls.length
  expect(await ask({ demands: [charge('ip', login), charge('all2', everybody)] })).toBe(false)
  expect(calls.slice(before).map(([slot]) => slot)).toEqual(
    expect.arrayContaining([slotOf(key('ip', 'login:f')), slotOf(key('all2', 'all:f'))]),
  )
  expect(await ask({ demands: [charge('all2', everybody)] })).toBe(true)
})

it('asks each slot once where there is no cool-down', async () => {
  const { ask, calls } = cluster()
  expect(
    await ask({ demands: [charge('a', everybody), charge('b', everybody), charge('c', everybody)] }),
  ).toBe(true)
  expect(calls.length).toBe(3)
  expect(await ask({ demands: [charge('d', everybody), charge('ip', login)] })).toBe(true)
  expect(calls.length).toBe(6)
})

it('charges once for an idempotency key, wherever that is kept', async () => {
  for (const subject of ['ip', 'all', 'elsewhere']) {
    const { ask } = cluster()
    const once = { subject, cell: 'i:x', window: 60e6 }
    const roomy = rule('login:f', 2, 10e6)
    const group = { demands: [charge('ip', roomy), charge('all', rule('all:f', 2))], once }
    expect([await ask(group), await ask(group), await ask(group)]).toEqual([true, true, true])
    expect(await ask({ demands: group.demands })).toBe(true)
    expect(await ask({ demands: group.demands })).toBe(false)
  }
})
