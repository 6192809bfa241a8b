import {
  type Address,
  checkChoice,
  checkNames,
  checkPrefix,
  checkType,
  describe,
  type Digest,
  fail,
  type Fields,
  type Identity,
  makeDigest,
  MOST_UNITS,
  namesOf,
  networkIn,
  networkOf,
  parseBareAddress,
  parseDuration,
  type Subject,
  subjectOf,
  validate,
  type Warn,
} from '@halt/core/gate'
import { type ActOptions, type ControlEntry, isNetwork, type PolicyNumbers } from './entries.ts'
import { sizeOfNetwork } from './network-entries.ts'

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
 * Reads a network that stands for an identity: `{ ip: "203.0.113.0/24" }`. Returns its canonical text, so that a network has one
 * entry, however it is spelled. Undefined for any other identity.
 *
 * @param isNew whether an entry is made of it. Then a network with bits set after its prefix is refused, because either the network or the
 *   one address may be meant; and, without `force`, a network that is larger than one owner has
 * @throws HaltError `HALT_E_CONTROL`
 */
function readNetwork(target: unknown, isNew: boolean, force = false): string | undefined {
  if (
    isNew &&
    typeof target === 'string' &&
    parseBareAddress(target.trim().replace(/\/\d+$/, '')) !== undefined
  )
    fail(
      'HALT_E_IDENTITY',
      `${describe(target)} names a custom key, but is an address.`,
      'Give { ip: … }, or { custom: … } if it is a key of yours.',
    )
  if (typeof target !== 'object' || target === null) return undefined
  const { ip, ...others } = target as { ip?: unknown }
  if (typeof ip !== 'string' || !ip.includes('/')) return undefined
  // A zone names a link of the machine that wrote the address.
  const written = ip.trim().replace(/%[\w.:~-]+(?=\/)/, '')
  const address = parseBareAddress(written.slice(0, written.indexOf('/')))
  if (
    Object.values(others).some(value => value !== undefined) ||
    address === undefined ||
    !isNetwork(written) ||
    !isPrefix(written)
  )
    return fail(
      'HALT_E_CONTROL',
      `${describe(ip)} is not a network.`,
      'Give { ip: "203.0.113.0/24" } or { ip: "2001:db8::/32" }.',
    )
  const network = canonical(isNew ? written : withoutHostBits(written, address), address)
  if (!isNew || force) return network
  if (sizeOfNetwork(network)?.needsForce !== true) return network
  return fail(
    'HALT_E_CONTROL',
    `${describe(ip)} contains ${network.endsWith('/0') ? 'every address' : 'the addresses of many networks'}.`,
    'Give { force: true } if you mean it.',
  )
}

/** Whether the prefix of a network is one of its notation: 0 to 32 bits of IPv4, 0 to 128 of IPv6. */
function isPrefix(network: string): boolean {
  const prefix = network.slice(network.indexOf('/') + 1)
  return /^(?:0+|[1-9]\d*)$/.test(prefix) && Number(prefix) <= (network.includes(':') ? 128 : 32)
}

function canonical(network: string, { version }: Address): string {
  if (/\/0+$/.test(network)) return network.includes(':') ? '::/0' : '0.0.0.0/0'
  // Every IPv4 address, as IPv6 writes them: `::ffff:0.0.0.0/96`.
  if (version === 4 && network.includes(':') && network.endsWith('/96')) return '0.0.0.0/0'
  return networkIn(network, 'HALT_E_CONTROL', 'the target').text
}

function withoutHostBits(network: string, address: Address): string {
  const slash = network.indexOf('/')
  const isMapped = address.version === 4 && network.includes(':')
  const prefix = Number(network.slice(slash + 1)) - (isMapped ? 96 : 0)
  return prefix > 0 ? `${networkOf(address, prefix).text}/${prefix}` : network
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
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
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

/** Names clients and networks, as entries and the history do: each has one text, however it is spelled. */
export class Targets {
  readonly #digest: Digest
  readonly #ipv6Prefix: number

  /** @throws HaltError `HALT_E_SECRET`, `HALT_E_OPTION` */
  constructor(secret: string | undefined, ipv6Prefix: number | undefined, warn: Warn) {
    this.#digest = makeDigest(secret, warn)
    this.#ipv6Prefix = checkPrefix(ipv6Prefix)
  }

  /** The target of an entry that may exist. @throws HaltError `HALT_E_IDENTITY`, `HALT_E_CONTROL` */
  of(target: Identity): string {
    return this.#named(target, readNetwork(target, false))
  }

  /**
   * The target of a new entry.
   *
   * @param force whether a network may be larger than one owner has
   * @throws HaltError `HALT_E_IDENTITY`, `HALT_E_CONTROL`
   */
  ofNew(target: Identity, force: boolean | undefined): string {
    return this.#named(target, readNetwork(target, true, force))
  }

  /** The subject of a client, which is not a network. @throws HaltError `HALT_E_IDENTITY` */
  subjectOf(identity: Identity): Subject {
    return subjectOf(identity, 'custom', this.#digest, this.#ipv6Prefix)
  }

  /** A network that is the key of one client is that client. */
  #named(target: Identity, network: string | undefined): string {
    if (network === undefined) return this.subjectOf(target)
    const own = this.subjectOf({ ip: network.slice(0, network.indexOf('/')) })
    return own === `ip:${network}` || `${own}/32` === `ip:${network}` ? own : network
  }
}
