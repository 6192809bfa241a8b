import type { CompiledPolicy } from './compiled-policy.ts'
import { HaltError } from '../base/errors.ts'
import type { IdentityKind } from '../request/identity.ts'

/** A policy, or one of its counters, that an identity cannot name: a look at the identity says nothing about it. */
export interface Unreached {
  readonly policy: string
  /** What names the counter instead, in words: `{ ip }`, `{ user, ip }`, `a request`. */
  readonly reachedBy: string
}

/**
 * Whether requests are counted by this policy under identities of a kind, on whatever route.
 *
 * Where none of the policies extracts a key, no request is counted under a custom name. Such a name is the application's own,
 * given to `consume`, which charges every policy under it.
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

/** Whether an identity of a kind names the very counter on which this policy counts requests. */
export function isReached(
  policy: CompiledPolicy,
  kind: IdentityKind,
  policies: readonly CompiledPolicy[],
): boolean {
  // An identity has no route.
  if (policy.isPerRoute && !isOwnName(kind, policies)) return false
  return countsBy(policy, kind, policies)
}

/**
 * Which kind of id a bare string is to a quota: the kind that the quota counts.
 *
 * @throws HaltError `HALT_E_IDENTITY` where the quota counts two ids together
 */
export function bareKindOf(policy: CompiledPolicy): 'ip' | 'user' | 'apiKey' | 'custom' {
  if (policy.keyStrategy === 'shared') return 'custom'
  const [kind = 'custom'] = kindsOf(policy)
  if (kind !== 'user+ip' && kind !== 'apiKey+ip') return kind
  throw new HaltError(
    'HALT_E_IDENTITY',
    `"${policy.name}" counts users at addresses, and a bare string names only one of the two.`,
    'Give { user: "42", ip: "203.0.113.7" } or { apiKey: "…", ip: "203.0.113.7" }.',
  )
}

/** What names the counter of a policy that is not reached, in words. */
function reachedBy(policy: CompiledPolicy): string {
  const ids = kindsOf(policy).map(inBraces).join(' or ')
  if (!policy.isPerRoute) return ids
  return ids === '' ? 'a request' : `a request of ${ids}`
}

/** What an identity of a kind does not reach: the policies that are not among the reached ones, and counters of these. */
export function unreachedOf(
  kind: IdentityKind,
  policies: readonly CompiledPolicy[],
  reached: readonly CompiledPolicy[],
  verifiesKeys: boolean,
): readonly Unreached[] {
  const missed = policies.filter(policy => !reached.includes(policy))
  const isByKey = kind === 'apiKey' || kind === 'apiKey+ip'
  // Unverified keys share a ceiling of their address, which may refuse a key that has units left.
  const ceilings = reached.filter(policy => isByKey && !verifiesKeys && mayMeetCeiling(policy))
  return Object.freeze([
    ...missed.map(policy => ({ policy: policy.name, reachedBy: reachedBy(policy) })),
    ...ceilings.map(({ name }) => ({
      policy: name,
      reachedBy: '{ ip } for what all unverified keys of an address share',
    })),
  ])
}

/** Writes an identity's kind as people type it. */
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

// `shared` is reached by every identity.
const KINDS: Readonly<Record<CompiledPolicy['keyStrategy'], readonly IdentityKind[]>> = {
  ip: ['ip'],
  user: ['user'],
  'api-key': ['apiKey'],
  composite: ['user+ip', 'apiKey+ip'],
  custom: ['custom'],
  shared: [],
}
