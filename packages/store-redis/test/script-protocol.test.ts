import { type Demand, type Group, Mode, type Rule, shareRuleOf, type Terms } from '@halt/core/store'
import { describe, expect, it } from 'vitest'

import { scriptCall } from '../src/script-protocol.ts'

const rule: Rule = {
  code: 't',
  counter: 'p:t',
  limit: 5,
  capacity: 5,
  unit: 60,
  rate: 1,
  window: 300,
  slice: 30,
  precision: 10,
  cooldown: 0,
  reduced: undefined,
}
const quota: Rule = { ...rule, code: 'q', counter: 'q:q' }
const demand: Demand = { rule, subject: 's', cost: 1, mode: Mode.CHARGE, penalized: false }
const SECOND = '1700000000'
const key = (subject: string, counter: string): string => `${subject}/${counter}`
const argsOf = (...groups: Group[]): readonly string[] => scriptCall(groups, key, SECOND).args
const parsed = (...groups: Group[]): unknown => JSON.parse(argsOf(...groups)[0] ?? '')

describe('the call for one bucket', () => {
  it.each([
    [{}, ['60', '300', SECOND]],
    [{ cost: 2 }, ['60', '300', SECOND, '1', '120']],
    [{ rule: { ...rule, rate: 7 } }, ['60', '300', SECOND, '7']],
    [{ rule: { ...rule, cooldown: 9 } }, ['60', '300', SECOND, '1', '60', '9']],
  ])('the call for one bucket leaves out the arguments that have their usual values: %j', (change, args) => {
    expect(argsOf({ demands: [{ ...demand, ...change }] })).toEqual(args)
    expect(scriptCall([{ demands: [{ ...demand, ...change }] }], key, SECOND).keys).toEqual(['s/p:t'])
  })

  it.each([
    [{ cost: 0 }],
    // Its cost in units of debt may be inexact.
    [{ cost: 6 }],
    [{ mode: Mode.PEEK }],
    [{ rule: quota }],
    [{ terms: { maxWait: 9 } }],
  ])('the call for a demand of another kind is the general one: %j', change => {
    expect(argsOf({ demands: [{ ...demand, ...change }] })).toHaveLength(1)
  })
})

describe('the call for several groups', () => {
  const edges = [0, 300, 600] as const
  const penalty = { rule: { severity: 1 } as never, subject: 'p', mode: 0, amount: 0 } as const
  const many: Group = { demands: [demand, { ...demand, rule: quota, edges }], penalty }

  it('the call writes groups that differ only in their keys once', () => {
    const others = [
      { ...many, penalty: { ...penalty, subject: 'o' } },
      { ...many, demands: many.demands.map(each => ({ ...each, subject: 't' })) },
    ]
    const { keys } = scriptCall([many, ...others], key, SECOND)
    expect(keys).toEqual([
      'p/penalty:p',
      's/p:t',
      's/q:q',
      'o/penalty:p',
      's/p:t',
      's/q:q',
      'p/penalty:p',
      't/p:t',
      't/q:q',
    ])
    const [, groups] = parsed(many, ...others) as [unknown, number[]]
    expect(groups).toEqual([3, 2, 1, 1, 0, 0, 2, 1, 0, 3, 1, 0])
  })

  describe('of tenants that share a bucket', () => {
    const tenant = (name: string, share: object = {}, terms: Terms = {}, cost = 1): Group => ({
      demands: [
        { ...demand, cost },
        {
          ...demand,
          cost,
          rule: shareRuleOf(rule, name),
          terms: { share: { rule: shareRuleOf(rule, name), weight: 1, ...share }, ...terms },
        },
      ],
    })

    it('writes the tenants of one weight once', () => {
      const [rules, groups] = parsed(tenant('user:1'), tenant('user:2')) as [unknown[], number[]]
      expect(rules).toHaveLength(2)
      expect(groups.slice(0, 3)).toEqual([2, 2, 4])
    })

    it.each([
      ['another weight', tenant('user:2', { weight: 2 })],
      ['a ticket', tenant('user:2', { ticket: { tag: 1, epoch: 2 } })],
      ['a wish for a ticket', tenant('user:2', { wantsTicket: true })],
      ['a wait', tenant('user:2', {}, { maxWait: 5 })],
      ['another cost', tenant('user:2', {}, {}, 2)],
      ['a pool of other numbers', { demands: [demand, { ...tenant('user:2').demands[1]!, rule: quota }] }],
      ['no share', { demands: [demand, demand] }],
    ])('writes a tenant with %s by itself', (_, other: Group) => {
      const [, groups] = parsed(tenant('user:1'), other) as [unknown, number[]]
      expect(groups[0]).toBe(1)
    })
  })

  it.each([
    ['a rule', { demands: [{ ...demand, rule: { ...rule } }] }],
    ['a cost', { demands: [{ ...demand, cost: 2 }] }],
    ['a mode', { demands: [{ ...demand, mode: Mode.DEFER }] }],
    ['terms', { demands: [{ ...demand, terms: { headroom: 0.5 } }] }],
    ['the reach of the penalty', { demands: [{ ...demand, penalized: true }] }],
    ['an edge of a period', { demands: [{ ...demand, edges }] }],
    ['a penalty', { demands: [demand], penalty }],
    ['an idempotency key', { demands: [demand], idempotency: { subject: 's', counter: 'i', window: 9 } }],
    ['the number of demands', { demands: [demand, demand] }],
  ])('the call writes a group that differs in %s by itself', (_, other: Group) => {
    const [, groups] = parsed({ demands: [demand] }, other, { demands: [demand] }) as [unknown, number[]]
    expect(groups.slice(0, 6)).toEqual([1, 1, 0, 1, 1, 0])
    expect(groups.slice(-6, -3)).toEqual([1, 1, 0])
  })

  it('the call writes each settlement with the charge that it settles', () => {
    const settled = (chargedTo: number): Group => ({ demands: [{ ...demand, mode: Mode.SETTLE, chargedTo }] })
    const [, groups] = parsed(settled(7), settled(8)) as [unknown, number[]]
    expect(groups).toEqual([1, 1, 0, 1, 1, 4, 7, 1, 1, 0, 1, 1, 4, 8])
  })

  it('the call marks a group with terms and writes them last, so that no other group is longer', () => {
    const asked = (terms: Terms): Group => ({ demands: [demand, { ...demand, penalized: true, terms }] })
    const numbersOf = (terms: Terms): unknown => (parsed(asked(terms)) as unknown[])[1]
    expect(numbersOf({ maxWait: 7.5 })).toEqual([1, 2, 4, 1, 1, 0, 1, 1, 48, 7, -1, 0, 0, -1, 0, 0])
    expect(numbersOf({ least: 2, headroom: 0.25, keptFor: 9 })).toEqual([
      1, 2, 4, 1, 1, 0, 1, 1, 48, 0, 2, 0.25, 9, -1, 0, 0,
    ])
    expect(numbersOf({ place: { position: 4, born: 6 } })).toEqual([
      1, 2, 4, 1, 1, 0, 1, 1, 48, 0, -1, 0, 0, 4, 6, 0,
    ])
    expect(numbersOf({ keptFor: 8, held: { to: 12, units: 3 } })).toEqual([
      1, 2, 4, 1, 1, 0, 1, 1, 48, 0, -1, 0, 8, 12, 3, 0,
    ])
  })
})
