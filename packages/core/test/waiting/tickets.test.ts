// Tickets of callers that wait for their share of a bucket.
import { expect, it } from 'vitest'

import { type Demand, Mode, shareRuleOf } from '../../src/databases/index.ts'
import { ticketGroup, waitBehind } from '../../src/waiting/tickets.ts'
import { ruleOf } from '../algorithms/table.ts'

const pool = ruleOf({ algorithm: 'token-bucket', counter: 'pool', limit: 30, window: 7 })
const window = ruleOf({ algorithm: 'fixed-window', counter: 'window', limit: 10, window: 1 })

const demand = (rule: typeof pool, cost: number, tenant?: string): Demand => ({
  rule,
  subject: 's',
  cost,
  mode: Mode.CHARGE,
  penalized: false,
  ...(tenant && { terms: { share: { rule: shareRuleOf(rule, tenant), weight: 1, wantsTicket: true } } }),
})

it('a caller behind units of its tenant waits for those that the whole bucket does not hold', () => {
  const both = { demands: [demand(window, 3), demand(pool, 3, 'a')] }
  // Each takes 7/30 s.
  expect(waitBehind(both, 29)).toBeCloseTo(1_400_000 / 3)
  expect(waitBehind(both, 27)).toBe(0)
  expect(waitBehind({ demands: [demand(window, 3), demand(pool, 3)] }, 100)).toBe(0)
})

it('a caller gives back the units of its tickets, and nothing for what it has no ticket for', () => {
  const [own, other] = [demand(pool, 3, 'a'), demand({ ...pool, counter: 'other' }, 5, 'b')]
  const ticket = { epoch: 1, tag: 2 } as never
  const held = { ticket, pool: 'pool', units: 3, until: 9 }
  const tickets = new Map([[own.terms!.share!.rule.counter, held]])
  const { demands } = ticketGroup({ demands: [demand(window, 1), own, other] } as never, tickets)
  expect(demands.map(({ mode, cost, terms }) => [mode, cost, terms?.share?.ticket])).toEqual([
    [Mode.SETTLE, -3, ticket],
  ])
})
