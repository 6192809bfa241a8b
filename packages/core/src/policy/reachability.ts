import type { CompiledPolicy } from './compiled-policy.ts'
import { HaltError } from '../base/errors.ts'
import type { IdentityKind } from '../request/identity.ts'

/** A policy with a counter that an identity does not name, so `peek`, `explain` or `reset` of the identity does not reach it. */
export interface Unreached {
  readonly policy: string
  /** The identity that names the counter, in words: `{ ip }`, `{ user, ip }`, `a request`. */
  readonly reachedBy: string
}

/**
 * Whether this policy counts requests under identities of a kind, on any route.
 *
 * If none of the policies extracts a key, no request is counted under a custom name. Such a name comes from a call of `consume`,
 * which charges every policy under it.
 */
export function countsBy(
  policy: CompiledPolicy,
  kind: IdentityKind,
  policies: readonly CompiledPolicy[],
): boolean {
  if (policy.keyStrategy === 'shared' || isOwnName(kind, policies)) return true
  if (kind === 'ip' && (policy.onMissingKey === 'ip' || policy.keyStrategy === 'composite')) return true
  return kindsOf(policy).includes(kind)
}

/** Whether an identity of a kind names the counter on which this policy counts requests. */
export function isReached(
  policy: CompiledPolicy,
  kind: IdentityKind,
  policies: readonly CompiledPolicy[],
): boolean {
  // An identity has no route, so it cannot name the counter of one.
  if (policy.isPerRoute && !isOwnName(kind, policies)) return false
  return countsBy(policy, kind, policies)
}

/**
 * The kind of id that a bare string means for a quota: the kind that the quota counts.
 *
 * @throws HaltError `HALT_E_IDENTITY` if the quota counts two ids together
 */
export function bareKindOf(policy: CompiledPolicy): 'ip' | 'user' | 'apiKey' | 'custom' {
  if (policy.keyStrategy === 'shared') return 'custom'
  const [kind = 'custom'] = kindsOf(policy)
  if (kind !== 'user+ip' && kind !== 'apiKey+ip') return kind
  throw new HaltError(
    'HALT_E_IDENTITY',
    `"${policy.name}" counts a user or an API key together with an address, and a bare string names only one of the two.`,
    'Give { user: "42", ip: "203.0.113.7" } or { apiKey: "…", ip: "203.0.113.7" }.',
  )
}

/** The identities that name a policy's counter, in words. */
function reachedBy(policy: CompiledPolicy): string {
  const ids = kindsOf(policy).map(inBraces).join(' or ')
  if (!policy.isPerRoute) return ids
  return ids === '' ? 'a request' : `a request of ${ids}`
}

/**
 * The requests that a policy counts under the identities of a kind only because they have no id of its own, in words: `a user`
 * stands for requests without a user. Undefined if the policy counts the kind itself.
 */
export function countedWithout(
  policy: CompiledPolicy,
  kind: IdentityKind,
  policies: readonly CompiledPolicy[],
): string | undefined {
  const { keyStrategy, keyExtractor } = policy
  if (kind !== 'ip' || keyStrategy === 'shared' || isOwnName(kind, policies)) return undefined
  if (keyExtractor !== undefined) return 'a key of its keyExtractor'
  return MISSING[keyStrategy]
}

/**
 * Lists what an identity of a kind does not reach: the other policies; of the reached ones the counters of requests that have an
 * id beside the address; and the address ceilings of the reached ones.
 */
export function unreachedOf(
  kind: IdentityKind,
  policies: readonly CompiledPolicy[],
  reached: readonly CompiledPolicy[],
  verifiesKeys: boolean,
): readonly Unreached[] {
  const missed = policies.filter(policy => !reached.includes(policy))
  const isByKey = kind === 'apiKey' || kind === 'apiKey+ip'
  // The unverified keys of an address share a ceiling, which may refuse a key that has units left.
  const ceilings = reached.filter(policy => isByKey && !verifiesKeys && mayMeetCeiling(policy))
  const partly = reached.flatMap(policy => {
    const id = countedWithout(policy, kind, policies)
    return id === undefined
      ? []
      : { policy: policy.name, reachedBy: `${reachedBy(policy)} for requests with ${id}` }
  })
  return Object.freeze([
    ...missed.map(policy => ({ policy: policy.name, reachedBy: reachedBy(policy) })),
    ...partly,
    ...ceilings.map(({ name }) => ({
      policy: name,
      reachedBy: '{ ip } for the ceiling that all unverified keys of an address share',
    })),
  ])
}

/** Writes a kind of identity as users type it, such as `{ user, ip }`. */
export function inBraces(kind: IdentityKind): string {
  return `{ ${kind.replace('+', ', ')} }`
}

function kindsOf({ keyStrategy, keyExtractor }: CompiledPolicy): readonly IdentityKind[] {
  return keyExtractor === undefined ? KINDS[keyStrategy] : KINDS.custom
}

function isOwnName(kind: IdentityKind, policies: readonly CompiledPolicy[]): boolean {
  return kind === 'custom' && policies.every(({ keyExtractor }) => keyExtractor === undefined)
}

function mayMeetCeiling({ keyStrategy, keyExtractor }: CompiledPolicy): boolean {
  return keyExtractor === undefined && (keyStrategy === 'api-key' || keyStrategy === 'composite')
}

/** The id without which a policy counts the address alone. */
const MISSING: Readonly<Record<CompiledPolicy['keyStrategy'], string | undefined>> = {
  ip: undefined,
  user: 'a user',
  'api-key': 'an API key',
  composite: 'a user or an API key',
  custom: 'a key of its keyExtractor',
  shared: undefined,
}

// Every identity reaches a `shared` policy, see countsBy.
const KINDS: Readonly<Record<CompiledPolicy['keyStrategy'], readonly IdentityKind[]>> = {
  ip: ['ip'],
  user: ['user'],
  'api-key': ['apiKey'],
  composite: ['user+ip', 'apiKey+ip'],
  custom: ['custom'],
  shared: [],
}
