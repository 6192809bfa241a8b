import { type ActOptions, NOTED_ACTS, type PolicyNumbers } from '@halt/control'
import { checkNames, describe, namesOf } from '@halt/core/http'

import { badRequest } from '../answer.ts'
import { readWhom, type Whom } from '../desk/identities.ts'

const ACTS = ['block', 'unblock', 'allow', 'disallow', 'override', 'change', 'revert', ...NOTED_ACTS] as const

/** The acts of the page. */
export type ActName = (typeof ACTS)[number]

/** A call for an act. It is plain data, so that the answer to an act can hold the call that takes it back. */
export interface ActCall {
  readonly act: ActName
  readonly whom?: Whom | undefined
  readonly policy?: string | undefined
  readonly numbers?: PolicyNumbers | undefined
  readonly units?: number | undefined
  /** How long it holds: a duration such as `2h`. Of a grant also `today`; without it, until the period ends. */
  readonly for?: string | undefined
  /** When it ends: Unix milliseconds. */
  readonly until?: number | undefined
  /** Whether a network that is larger than those of one owner is meant. */
  readonly force?: boolean | undefined
  readonly reason?: string | undefined
  /** What becomes of an act on entries if the store does not take it. Default: it holds in this process alone. */
  readonly onStoreError?: 'local' | 'reject' | undefined
  /** The entry that an undo takes back or replaces; `null` for none. If another one stands there, the call is refused with 409. */
  readonly replaces?: ActOptions['replaces']
  /** Whether the operator has seen what the act does. Without it the call only tells. */
  readonly confirmed?: boolean | undefined
  /** A random text of the form, so that a grant that is sent twice counts once, and its undo too. */
  readonly token?: string | undefined
}

const FIELDS = namesOf<ActCall>({
  act: true,
  whom: true,
  policy: true,
  numbers: true,
  units: true,
  for: true,
  until: true,
  force: true,
  reason: true,
  onStoreError: true,
  replaces: true,
  confirmed: true,
  token: true,
})
const TYPES: Readonly<Partial<Record<keyof ActCall, string>>> = {
  policy: 'string',
  numbers: 'object',
  units: 'number',
  for: 'string',
  until: 'number',
  force: 'boolean',
  reason: 'string',
  onStoreError: 'string',
  confirmed: 'boolean',
  token: 'string',
}

/**
 * Reads a call for an act. Core checks durations, numbers and identities.
 *
 * @throws HaltError `HALT_E_OPERATOR`, `HALT_E_UNKNOWN_FIELD`
 */
export function readCall(body: Readonly<Record<string, unknown>>): ActCall {
  checkNames(body, FIELDS, 'The act')
  if (!(ACTS as readonly unknown[]).includes(body['act']))
    throw badRequest(`The act is ${describe(body['act'])}.`, `Choose one of ${ACTS.join(', ')}.`)
  for (const [name, type] of Object.entries(TYPES)) {
    const value = body[name]
    if (value !== undefined && (typeof value !== type || value === null))
      throw badRequest(`${name} is ${describe(value)}, not a ${type}.`, `Give a ${type}, or leave it out.`)
  }
  const { whom, reason, units } = body
  // A fraction is rounded up, so that the history would tell another number than was given.
  if (units !== undefined && !(Number.isSafeInteger(units) && (units as number) > 0))
    throw badRequest(`units is ${describe(units)}.`, 'Give a whole number of at least 1.')
  if (typeof reason !== 'string' || reason.trim() === '')
    throw badRequest('The act has no reason.', 'Write why, because the history shows it.')
  return { ...(body as unknown as ActCall), ...(whom === undefined ? {} : { whom: readWhom(whom) }) }
}

/** The options of an act for `Control`. */
export function optionsOf(call: ActCall, by: string): ActOptions {
  const { for: duration, until, reason, onStoreError, replaces } = call
  return {
    for: duration as ActOptions['for'],
    until: until === undefined ? undefined : new Date(until),
    reason,
    by,
    onStoreError,
    replaces,
  }
}

/** How long a call holds, in words. */
export function spanOf({ for: duration, until }: ActCall): string {
  if (duration !== undefined) return `for ${duration}`
  if (until !== undefined && Number.isFinite(until))
    return `until ${new Date(Math.min(until, 8e15)).toISOString().replace(/:\d\d\.\d+Z$/, 'Z')}`
  return 'until somebody takes it back'
}
