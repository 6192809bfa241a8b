import {
  aboutCounters,
  Admitted,
  checkReply,
  type Demand,
  type Evaluation,
  type Group,
  isLoneBucket,
  type StoreError,
} from '@halt/core/store'

import { unexpectedReply } from './store-error.ts'

const NUMBERS = String.raw`-?\d+(?: -?\d+)*`
const ADMITTED = /^(\d{1,16}) (\d{1,16})$/
const SHAPE = new RegExp(
  String.raw`^(\d{1,16});([01])([01]);(\d*);((?:${NUMBERS})?);((?:${NUMBERS})?)((?:;[012](?: ${NUMBERS})?)*)$`,
)

/**
 * Reads a reply of `decide_v3`: the evaluation or the error of each group. A group whose line cannot come from the function gets
 * an error.
 *
 * @throws StoreError `HALT_E_STORE_SCRIPT` if the reply as a whole cannot come from the function
 */
export function readReply(reply: unknown, groups: readonly Group[]): (Evaluation | StoreError)[] {
  const lines = typeof reply === 'string' ? reply.split('\n') : []
  if (lines.length !== groups.length) throw unexpectedReply(reply)
  return lines.map((line, i) => {
    const group = groups[i] as Group
    return readLine(line, group) ?? aboutCounters(unexpectedReply(line), group)
  })
}

function readLine(line: string, group: Group): Evaluation | undefined {
  const [, now, debt] = ADMITTED.exec(line) ?? []
  if (now !== undefined) return readAdmission(Number(now), Number(debt), group)
  return readWrittenOut(line, group)
}

function readAdmission(now: number, debt: number, group: Group): Evaluation | undefined {
  if (!isLoneBucket(group)) return undefined
  const { rule, cost } = group.demands[0] as Demand
  const isSound = debt >= cost * rule.unit && debt <= rule.capacity * rule.unit && Number.isSafeInteger(now)
  return isSound ? new Admitted(now, rule, debt) : undefined
}

function readWrittenOut(line: string, group: Group): Evaluation | undefined {
  const parts = SHAPE.exec(line)
  if (parts === null) return undefined
  const [, now, allowed, repeated, wait, grants = '', penalty = '', rest = ''] = parts
  const fields = rest === '' ? [] : rest.slice(1).split(';')
  const { demands } = group
  if (fields.length !== demands.length) return undefined
  const evaluation: Evaluation = {
    now: Number(now),
    allowed: allowed === '1',
    repeated: repeated === '1',
    passes: fields.map(field => field.startsWith('1')),
    starts: fields.map(field => field.startsWith('2')),
    states: fields.map(field => numbersIn(field).slice(1)),
    penalty: numbersIn(penalty),
    startsIn: wait === '' ? undefined : Number(wait),
    grants: grants === '' ? undefined : numbersIn(grants),
  }
  return checkReply(evaluation, group)
}

function numbersIn(text: string): number[] {
  return text === '' ? [] : text.split(' ').map(Number)
}
