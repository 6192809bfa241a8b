import {
  checkChoice,
  checkNames,
  checkType,
  describe,
  fail,
  type Fields,
  MOST_UNITS,
  namesOf,
  parseDuration,
  validate,
} from '@halt/core/gate'
import { isObject } from './read-values.ts'
import {
  type ActOptions,
  type ControlAct,
  type ControlEntry,
  NOTED_ACTS,
  type NotedAct,
  type PolicyNumbers,
} from './entries.ts'

const ACT = namesOf<ActOptions & { force: unknown }>({
  for: true,
  until: true,
  reason: true,
  by: true,
  onStoreError: true,
  replaces: true,
  force: true,
})
const NUMBERS = namesOf<PolicyNumbers>({
  limit: true,
  window: true,
  burst: true,
  cost: true,
  blockDuration: true,
})
const DURATIONS: ReadonlySet<string> = new Set(['window', 'blockDuration'])
const LONGEST_TEXT = 1_000

/**
 * Reads who acts, why, and until when.
 *
 * @param at when: the store's time, in Unix milliseconds
 * @throws HaltError `HALT_E_CONTROL`, `HALT_E_DURATION`, `HALT_E_UNKNOWN_FIELD`
 */
export function readAct(
  options: ActOptions,
  at: number,
): Pick<ControlEntry, 'at' | 'until' | 'reason' | 'by'> {
  const fields = options as unknown as Fields
  checkNames(fields, ACT, 'The act')
  for (const name of ['reason', 'by']) {
    checkType(fields, name, 'string', 'HALT_E_CONTROL')
    if (((fields[name] as string | undefined) ?? '').length > LONGEST_TEXT)
      fail('HALT_E_CONTROL', `${name} is longer than ${LONGEST_TEXT} characters.`, 'Write a shorter text.')
  }
  if (options.replaces !== null) checkType(fields, 'replaces', 'object', 'HALT_E_CONTROL')
  checkChoice(fields, 'onStoreError', ['local', 'reject'], 'HALT_E_CONTROL')
  const { reason, by } = options
  const until = endOf(options, at)
  return {
    at,
    ...(until === undefined ? {} : { until }),
    ...(reason === undefined ? {} : { reason }),
    ...(by === undefined ? {} : { by }),
  }
}

function endOf({ for: duration, until }: ActOptions, now: number): number | undefined {
  if (duration !== undefined && until !== undefined)
    fail('HALT_E_CONTROL', 'The act has both for and until.', 'Give one of the two.')
  if (duration !== undefined) return now + parseDuration(duration, 'for') / 1000
  if (until === undefined) return undefined
  const end = until instanceof Date ? until.getTime() : Number.NaN
  if (end > now) return end
  return fail(
    'HALT_E_CONTROL',
    `until is ${Number.isNaN(end) ? describe(until) : new Date(end).toISOString()}, not a Date in the future.`,
    'Give a later Date, or for: "2h".',
  )
}

/**
 * Reads an act that changed counters and no entry.
 *
 * @throws HaltError `HALT_E_CONTROL`, `HALT_E_POLICY_NAME`
 */
export function readNoted(
  act: NotedAct,
  { policy, units }: { readonly policy?: string | undefined; readonly units?: number | undefined },
): Pick<ControlAct, 'act' | 'policy' | 'units'> {
  if (!NOTED_ACTS.includes(act))
    fail('HALT_E_CONTROL', `The act is ${describe(act)}.`, `Give one of ${NOTED_ACTS.join(', ')}.`)
  if (units !== undefined && !(units >= 0 && units < Number.POSITIVE_INFINITY))
    fail('HALT_E_CONTROL', `units is ${describe(units)}.`, 'Give a number from 0 on.')
  return {
    act,
    ...(policy === undefined ? {} : { policy: readPolicyName(policy) }),
    ...(units === undefined ? {} : { units }),
  }
}

/** Reads the name of a policy. @throws HaltError `HALT_E_POLICY_NAME` */
export function readPolicyName(policy: unknown): string {
  checkWith(policy, {})
  return policy as string
}

/**
 * Reads numbers of a policy.
 *
 * @throws HaltError `HALT_E_CONTROL` if there are none; the codes of a policy's fields
 */
export function readNumbers(numbers: PolicyNumbers): PolicyNumbers {
  const fields = numbers as unknown as Fields
  checkNames(fields, NUMBERS, 'The numbers')
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  if (Object.keys(given).length === 0)
    fail('HALT_E_CONTROL', 'The act changes no number.', 'Give one: { limit: 5000 }.')
  checkWith('numbers', given)
  return given
}

/**
 * Whether a value that was read may stand as the numbers of a policy. Only the names and the types are checked: numbers that do not fit a
 * policy change nothing.
 */
export function isPolicyNumbers(value: unknown): value is PolicyNumbers {
  if (!isObject(value)) return false
  return Object.entries(value).every(
    ([name, number]) =>
      NUMBERS.includes(name) &&
      (DURATIONS.has(name) && typeof number === 'string' ? number !== '' : Number.isFinite(number)),
  )
}

/** Checks a policy with some numbers, so that a mistake is found now and not in every process. */
function checkWith(name: unknown, numbers: PolicyNumbers): void {
  validate({ name, limit: MOST_UNITS, window: '1h', ...numbers })
}
