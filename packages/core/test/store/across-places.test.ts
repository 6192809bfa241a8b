import { expect, it } from 'vitest'

import { evaluateAcross } from '../../src/databases/across/index.ts'
import { type Demand, type Group, Mode } from '../../src/store/contract.ts'
import type { Evaluation } from '../../src/store/evaluation.ts'
import { ReferenceStore } from '../../src/testing/reference-store.ts'
import { ruleOf } from '../algorithms/table.ts'

it('a group over two nodes gives back no units of a place that was charged before', async () => {
  const nodes = new Map(['a', 'b'].map(name => [name, new ReferenceStore(() => 1.7e12)]))
  const send = async (node: string, group: Group): Promise<Evaluation> => nodes.get(node)!.evaluate(group)
  const bucket = ruleOf({ algorithm: 'token-bucket', limit: 1, window: 1 })
  const window = ruleOf({ algorithm: 'fixed-window', limit: 1, window: 1, counter: 'w' })
  const charge = (subject: string, rule: typeof bucket, more: Partial<Demand> = {}): Demand => ({
    rule,
    subject,
    cost: 1,
    mode: Mode.CHARGE,
    penalized: false,
    ...more,
  })
  await send('a', { demands: [charge('a', bucket)] })
  const placed = await send('a', { demands: [charge('a', bucket, { terms: { maxWait: 9e6 } })] })
  await send('b', { demands: [charge('b', window)] })
  const place = { position: placed.states[0]![7]!, born: placed.states[0]![6]! }
  const demands = [charge('a', bucket, { terms: { place } }), charge('b', window)]
  const found = await evaluateAcross(
    { demands },
    subject => subject,
    send,
    error => error,
  )
  expect(found.passes).toEqual([true, false])
  const peek = await send('a', { demands: [charge('a', bucket, { mode: Mode.PEEK })] })
  expect(peek.states).toEqual(placed.states)
})
