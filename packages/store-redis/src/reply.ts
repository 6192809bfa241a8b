import { type Demand, type Group, Mode, ruleInForce, type State, type Evaluation } from '@halt/core/store'

import { StoreError, toStoreError } from './connection/index.ts'
import { BUCKET, SCRIPT_KINDS } from './script-protocol.ts'

// Two flags, then the numbers of the penalty, then per demand a sign of its result and the numbers of its counter.
const NUMBERS = String.raw`-?\d+(?: -?\d+)*`
const SHAPE = new RegExp(String.raw`^[01][01];(?:${NUMBERS})?(?:;(?:\+\d+|[012](?: ${NUMBERS})?))*$`)
const WHOLE = /^\d{1,16}$/
const PENALTY_NUMBERS = 6

/**
 * Reads a reply of `decide.lua`: the evaluation or the error of each group. A group whose part of the reply cannot come from
 * the script gets an error.
 *
 * @throws StoreError `HALT_E_STORE_SCRIPT` if the reply as a whole cannot come from the script
 */
export function readReply(reply: unknown, groups: readonly Group[]): (Evaluation | StoreError)[] {
  if (!Array.isArray(reply) || reply.length !== groups.length + 1) throw unexpectedReply(reply)
  const now = readWholeNumber(reply[0])
  if (now === undefined) throw unexpectedReply(reply)
  return groups.map((group, i) => readPart(reply[i + 1], group, now))
}

/** Reads a reply that is one whole number of at least 0. Undefined if it is anything else. */
export function readWholeNumber(reply: unknown): number | undefined {
  const number = typeof reply === 'number' ? reply : readDigits(textOf(reply))
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

function readDigits(text: string): number {
  return WHOLE.test(text) ? Number(text) : NaN
}

/** The error for a reply that no script of Halt returns. It names the type of the reply, never its content. */
export function unexpectedReply(reply: unknown): StoreError {
  const type = Array.isArray(reply) ? `a list of ${reply.length}` : reply === null ? 'null' : typeof reply
  const queued = reply === 'QUEUED' ? ' (QUEUED: a MULTI is open on the connection)' : ''
  return new StoreError(`The script cannot have given this reply: ${type}${queued}`, 'unexpected-reply')
}

function readPart(reply: unknown, group: Group, now: number): Evaluation | StoreError {
  const debt = readWholeNumber(reply)
  if (debt !== undefined) return isAdmitted(group, debt) ? admitted(group, now, debt) : unexpectedReply(reply)
  const text = textOf(reply)
  if (text.startsWith('!')) return toStoreError(new Error(text.slice(1)))
  return (SHAPE.test(text) && readText(text, group, now)) || unexpectedReply(reply)
}

function readText(text: string, group: Group, now: number): Evaluation | undefined {
  const [flags, penalty, ...fields] = text.split(';') as [string, string, ...string[]]
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
  }
  evaluation.states = fields.map((field, i) => {
    if (!field.startsWith('+')) return field.split(' ').slice(1).map(Number)
    return bucket(ruleInForce(demands[i] as Demand, evaluation), now, Number(field))
  })
  return isSound(evaluation, group) ? evaluation : undefined
}

/** Whether the script can give this evaluation for the group. */
function isSound({ allowed, repeated, passes, states, penalty }: Evaluation, group: Group): boolean {
  const { demands, idempotency } = group
  if (repeated && idempotency === undefined) return false
  if (allowed !== demands.every(({ mode }, i) => passes[i] || mode === Mode.SHADOW)) return false
  if (penalty.length > 0 && (group.penalty === undefined || penalty.length !== PENALTY_NUMBERS)) return false
  return penalty.every(Number.isFinite) && demands.every((demand, i) => isState(states[i] as State, demand))
}

function isState(state: State, { rule }: Demand): boolean {
  const kind = SCRIPT_KINDS[rule.code]
  const { length } = state
  const fits = kind === 0 ? length === 5 : kind === 1 ? length === 3 || length === 4 : length % 2 === 1
  return (fits || length === 0) && state.every(Number.isSafeInteger)
}

/** Whether the debt of a bucket alone can be the reply for a group. The debt includes the charge itself. */
function isAdmitted({ demands, penalty }: Group, debt: number): boolean {
  const [demand] = demands
  if (demand === undefined || demands.length > 1 || penalty !== undefined) return false
  const { rule, cost, mode } = demand
  if (SCRIPT_KINDS[rule.code] !== BUCKET || cost <= 0 || debt < cost * rule.unit) return false
  return (
    mode === Mode.SETTLE ||
    ((mode === Mode.CHARGE || mode === Mode.SHADOW) && debt <= rule.capacity * rule.unit)
  )
}

function admitted(group: Group, now: number, debt: number): Evaluation {
  const { rule } = group.demands[0] as Demand
  return {
    now,
    allowed: true,
    repeated: false,
    passes: [true],
    starts: [],
    states: [bucket(rule, now, debt)],
    penalty: [],
  }
}

function bucket(rule: Demand['rule'], now: number, debt: number): State {
  return [0, now, debt, rule.unit, rule.rate]
}

// A client with stringNumbers or a type mapping gives numbers as text, and text as bytes.
function textOf(reply: unknown): string {
  if (typeof reply === 'string') return reply
  if (typeof reply === 'bigint') return reply.toString()
  return ArrayBuffer.isView(reply) ? new TextDecoder().decode(reply as Uint8Array) : ''
}
