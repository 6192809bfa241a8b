import {
  replyType,
  type StoreError,
  checkReply,
  type Demand,
  type Evaluation,
  type Group,
  ruleInForce,
  type State,
} from '@halt/core/store'
import { storeError } from './connection/index.ts'

const INTEGER = /^-?\d{1,16}$/

/** Reads a reply that is one whole number of at least 0. Undefined if it is anything else. */
export function readWholeNumber(reply: unknown): number | undefined {
  const number = readInteger(reply)
  return number !== undefined && number >= 0 ? number : undefined
}

/** Reads a reply that is one integer. Undefined if it is anything else. */
function readInteger(reply: unknown): number | undefined {
  const number = typeof reply === 'number' ? reply : readDigits(readText(reply))
  return Number.isSafeInteger(number) ? number : undefined
}

function readDigits(text: string): number {
  return INTEGER.test(text) ? Number(text) : NaN
}

/** The text of a reply; empty if it is none. A client with a type mapping gives numbers as text, and text as bytes. */
export function readText(reply: unknown): string {
  if (typeof reply === 'string') return reply
  if (typeof reply === 'bigint') return reply.toString()
  return ArrayBuffer.isView(reply) ? new TextDecoder().decode(reply as Uint8Array) : ''
}

/** The error for a reply that no script of Halt returns. It names the type of the reply, never its content. */
export function unexpectedReply(reply: unknown): StoreError {
  const queued = reply === 'QUEUED' ? ' (QUEUED: a MULTI is open on the connection)' : ''
  return storeError(
    `The script cannot have given this reply: ${replyType(reply)}${queued}`,
    'unexpected-reply',
  )
}

/** The entries of a reply to several groups, read one after the other. */
export class ReplyEntries {
  readonly #entries: readonly unknown[]
  #at = 0

  constructor(entries: readonly unknown[]) {
    this.#entries = entries
  }

  /** Whether no entry is left, and none was missing. */
  get areRead(): boolean {
    return this.#at === this.#entries.length
  }

  take(): unknown {
    return this.#entries[this.#at++]
  }

  /** Reads the next entry if it is an integer. Otherwise returns undefined, and the entry remains. */
  takeInteger(): number | undefined {
    const number = readInteger(this.#entries[this.#at])
    if (number !== undefined) this.#at++
    return number
  }
}

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
