import {
  checkReply,
  type Demand,
  type Evaluation,
  type Group,
  ruleInForce,
  type State,
} from '@halt/core/store'

// Two flags, the wait for a start and the units granted, if any, then the numbers of the penalty, then per demand a sign of its
// result and the numbers of its counter.
const NUMBERS = String.raw`-?\d+(?: -?\d+)*`
const HEAD = String.raw`[01][01](?:@\d+)?(?:\*${NUMBERS})?`
const SHAPE = new RegExp(String.raw`^${HEAD};(?:${NUMBERS})?(?:;(?:\+\d+|[012](?: ${NUMBERS})?))*$`)

/** Reads the part of a reply that tells the whole evaluation of a group. Undefined if it cannot come from the script. */
export function readWrittenOut(text: string, group: Group, now: number): Evaluation | undefined {
  if (!SHAPE.test(text)) return undefined
  const [head, penalty, ...fields] = text.split(';') as [string, string, ...string[]]
  const [flags = '', granted] = head.split('*')
  const wait = flags.split('@')[1]
  const { demands } = group
  if (fields.length !== demands.length) return undefined
  const evaluation = {
    now,
    allowed: flags[0] === '1',
    repeated: flags[1] === '1',
    passes: fields.map(field => field.startsWith('1') || field.startsWith('+')),
    starts: fields.map(field => field.startsWith('2')),
    states: [] as State[],
    penalty: penalty === '' ? [] : penalty.split(' ').map(Number),
    startsIn: wait === undefined ? undefined : Number(wait),
    grants: granted?.split(' ').map(Number),
  }
  evaluation.states = fields.map((field, i) => {
    if (!field.startsWith('+')) return field.split(' ').slice(1).map(Number)
    const { unit, rate } = ruleInForce(demands[i] as Demand, evaluation)
    return [0, now, Number(field), unit, rate]
  })
  return checkReply(evaluation, group)
}
