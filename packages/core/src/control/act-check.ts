import { describe } from '../base/describe.ts'
import { parseDuration } from '../base/duration.ts'
import { checkNames, checkType, fail, type Fields, namesOf } from '../base/options-check.ts'
import { validate } from '../policy/validation.ts'
import { parseBareAddress } from '../request/address.ts'
import { networkIn } from '../request/networks.ts'
import { type ActOptions, type ControlEntry, isNetwork, type PolicyNumbers } from './entries.ts'

const ACT = namesOf<ActOptions & { force: unknown }>({
  for: true,
  until: true,
  reason: true,
  by: true,
  force: true,
})
const NUMBERS = namesOf<PolicyNumbers>({
  limit: true,
  window: true,
  burst: true,
  cost: true,
  blockDuration: true,
})
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
    `until is ${describe(until)}, not a Date in the future.`,
    'Give a later Date, or for: "2h".',
  )
}

/**
 * Reads a network that stands for an identity: `{ ip: "203.0.113.0/24" }`. Returns its canonical text, so that a network has one
 * entry, however it is spelled. Undefined for any other identity.
 *
 * @param force whether a network of all addresses is accepted
 * @throws HaltError `HALT_E_CONTROL`
 */
export function readNetwork(target: unknown, force: boolean): string | undefined {
  if (typeof target !== 'object' || target === null) return undefined
  const { ip, ...others } = target as { ip?: unknown }
  if (typeof ip !== 'string' || !ip.includes('/')) return undefined
  const network = ip.trim()
  const isAddress = parseBareAddress(network.slice(0, network.indexOf('/'))) !== undefined
  if (Object.values(others).some(value => value !== undefined) || !isAddress || !isNetwork(network))
    fail(
      'HALT_E_CONTROL',
      `${describe(ip)} is not a network.`,
      'Give { ip: "203.0.113.0/24" } or { ip: "2001:db8::/32" }.',
    )
  if (!/\/0+$/.test(network)) return networkIn(network, 'HALT_E_CONTROL', 'the target').text
  if (force) return network.includes(':') ? '::/0' : '0.0.0.0/0'
  return fail(
    'HALT_E_CONTROL',
    `${describe(ip)} contains every address.`,
    'Give { force: true } if you mean it.',
  )
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

/** Checks a policy with some numbers, so that a mistake is found now and not in every process. */
function checkWith(name: unknown, numbers: PolicyNumbers): void {
  validate({ name, limit: 2 ** 31, window: '1h', ...numbers })
}
