import { Admitted, Mode } from '@halt/core/store'
import { describe, expect, it } from 'vitest'

import { readReply } from '../src/reply.ts'
import { bucket, demand, group } from './rules.ts'

const lone = group(demand('a'))
const unit = bucket().unit
const NOW = 1_795_682_812_930_975
const window = bucket({ code: 'f', counter: 'w:f' })
const peek = group(demand('a', window, { mode: Mode.PEEK }))

describe('a sound reply', () => {
  it('a reply of two numbers is an admitted bucket', () => {
    expect(readReply(`${NOW} ${unit}`, [lone])).toEqual([new Admitted(NOW, bucket(), unit)])
  })

  it('a reply tells states, cool-downs, waits and grants', () => {
    const terms = { maxWait: 1e9, least: 1 }
    const patient = group(demand('a', bucket(), { cost: 2, terms }))
    const [evaluation] = readReply(`${NOW};10;500;1;;1 0 ${NOW} 7 ${unit} 1`, [patient])
    expect(evaluation).toMatchObject({
      allowed: true,
      startsIn: 500,
      grants: [1],
      states: [[0, NOW, 7, unit, 1]],
    })
    const [refusal] = readReply(`${NOW};00;;;;2 99 ${NOW} 7 ${unit} 1`, [lone])
    expect(refusal).toMatchObject({ allowed: false, starts: [true] })
  })

  it('a reply of one bucket that starts later is short', () => {
    const line = [0, NOW, 7, unit, 1, 1, NOW, 3, 0, NOW + 9, 1, 2, 1]
    const patient = group(demand('a', bucket(), { terms: { maxWait: 1e9 } }))
    const [evaluation] = readReply(`${NOW};10;500;;;1 ${line.join(' ')}`, [patient])
    expect(evaluation).toEqual(new Admitted(NOW, bucket(), line[2], line, 500))
  })
})

describe('a reply that no function of Halt gives', () => {
  it.each([undefined, null, 7, '', 'ok', `${NOW} 1\n${NOW} 1`])('the reply %j is an error', reply => {
    const read = (): unknown => {
      const [evaluation] = readReply(reply, [lone])
      if (evaluation instanceof Error) throw evaluation
      return evaluation
    }
    expect(read).toThrowError(expect.objectContaining({ code: 'HALT_E_STORE_SCRIPT' }))
  })

  it.each([
    ['a debt below the charge', `${NOW} 1`, lone],
    ['a debt above the capacity', `${NOW} ${6 * unit}`, lone],
    ['a debt of another group', `${NOW} ${unit}`, peek],
    ['too few demands', `${NOW};10;;;`, peek],
    ['a refusal that is allowed', `${NOW};10;;;;0`, peek],
    ['a repetition without a key', `${NOW};11;;;;1`, peek],
    ['a penalty without a demand for it', `${NOW};10;;;1 1 1 1 1 1;1`, peek],
    ['a counter of another layout', `${NOW};10;;;;1 1 2 3 4 5`, peek],
    ['half a hole', `${NOW};00;;;;0 0 ${NOW} 7 60 1 1 ${NOW} 3 0 9 1 2`, lone],
    ['parts of a bucket that Halt does not know', `${NOW};00;;;;0 0 ${NOW} 7 60 1 3 ${NOW} 3 0 9 1`, lone],
    ['a wait that nobody accepts', `${NOW};10;5;;;1`, peek],
    ['grants that nobody accepts', `${NOW};10;;1;;1`, peek],
    ['a number that is not exact', `${NOW};10;;;;1 0 99999999999999999999 1`, peek],
  ])('a reply with %s is an error', (_name, reply, asked) => {
    expect(readReply(reply, [asked])).toEqual([expect.objectContaining({ code: 'HALT_E_STORE_SCRIPT' })])
  })

  it('a wrong reply is an error for its group alone', () => {
    const replies = readReply(`${NOW} ${unit}\nnonsense`, [lone, lone])
    expect(replies[0]).toMatchObject({ allowed: true })
    expect(replies[1]).toBeInstanceOf(Error)
  })
})
