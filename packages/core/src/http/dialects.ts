import { binds } from '../answer.ts'
import type { CompiledPolicy } from '../compiled-policy.ts'
import { Decision, type PolicyVerdict } from '../decision.ts'
import type { RateLimiter } from '../limiter.ts'

/** Headers by name. */
export type Headers = Record<string, string>

/** What a dialect needs of a limiter: its policies' windows. */
export type PolicyDirectory = Pick<RateLimiter<never>, 'policyNamed' | 'warn'>

/** Writes a decision's headers in one dialect. */
export type Write = (decision: Decision, limiter: PolicyDirectory) => Headers

const shown = ({ remaining, limit }: Decision | PolicyVerdict): number =>
  Math.max(0, Math.min(remaining, limit))

const isEnforced = ({ mode }: PolicyVerdict): boolean => mode === 'enforce'

const standard: Write = decision => ({
  'RateLimit-Limit': String(decision.limit),
  'RateLimit-Remaining': String(shown(decision)),
  'RateLimit-Reset': String(decision.resetAt),
})

const draft6: Write = (decision, limiter) => ({
  'RateLimit-Policy': quota(decision, limiter),
  'RateLimit-Limit': String(decision.limit),
  'RateLimit-Remaining': String(shown(decision)),
  'RateLimit-Reset': String(delta(decision, decision)),
})

const draft7: Write = (decision, limiter) => ({
  'RateLimit-Policy': quota(decision, limiter),
  RateLimit: `limit=${decision.limit}, remaining=${shown(decision)}, reset=${delta(decision, decision)}`,
})

const draft8: Write = (decision, limiter) => {
  const window = windowOf(decision.policy, decision, limiter)
  return {
    'RateLimit-Policy': `"${decision.policy}"; q=${decision.limit}${window === undefined ? '' : `; w=${window}`}`,
    RateLimit: `"${decision.policy}"; r=${shown(decision)}; t=${delta(decision, decision)}`,
  }
}

// All enforced policies in one list. Structured fields (RFC 9651): names are validated to need no escaping.
const draft11: Write = (decision, limiter) => {
  const all = decision.verdicts.filter(isEnforced)
  // An empty list is no field (RFC 9651): nobody was asked, the store was away and all policies are open.
  if (all.length === 0) return {}
  const policies = all.map(({ policy, limit }) => {
    const window = windowOf(policy, decision, limiter)
    const unit =
      policyOf(policy, decision, limiter)?.algorithm === 'concurrency' ? ';qu="concurrent-requests"' : ''
    return `"${policy}";q=${limit}${window === undefined ? '' : `;w=${window}`}${unit}`
  })
  return {
    'RateLimit-Policy': policies.join(', '),
    RateLimit: all.map(said => `"${said.policy}";r=${shown(said)};t=${delta(said, decision)}`).join(', '),
  }
}

const xRateLimit: Write = decision => ({
  'X-RateLimit-Limit': String(decision.limit),
  'X-RateLimit-Remaining': String(shown(decision)),
  'X-RateLimit-Used': String(decision.limit - shown(decision)),
  'X-RateLimit-Reset': String(decision.resetAt),
})

// A policy whose name speaks of tokens counts tokens, any other one requests; of each the one that binds most.
const openai: Write = decision => {
  const tightest = new Map<string, PolicyVerdict>()
  for (const said of decision.verdicts.filter(isEnforced)) {
    const unit = /token|tpm/i.test(said.policy) ? 'tokens' : 'requests'
    const other = tightest.get(unit)
    if (other === undefined || binds(said, other)) tightest.set(unit, said)
  }
  const headers: Headers = {}
  for (const [unit, said] of tightest) {
    headers[`x-ratelimit-limit-${unit}`] = String(said.limit)
    headers[`x-ratelimit-remaining-${unit}`] = String(shown(said))
    headers[`x-ratelimit-reset-${unit}`] = goDuration(delta(said, decision))
  }
  return headers
}

/** The dialects by name. */
export const DIALECTS: Readonly<Record<string, Write>> = {
  standard,
  'draft-6': draft6,
  'draft-7': draft7,
  'draft-8': draft8,
  'draft-11': draft11,
  'x-ratelimit': xRateLimit,
  openai,
}

/** Seconds until the policy has more to give, by the store's clock. */
function delta(said: { allowed: boolean; retryAfter: number; resetAt: number }, decision: Decision): number {
  if (!said.allowed && said.retryAfter !== Number.POSITIVE_INFINITY) return said.retryAfter
  const now = Decision.instantOf(decision) ?? Date.now() / 1000
  // `resetAt` is rounded up already: from a rounded now, or a window of 60 s would be said to take 61.
  return said.resetAt > now ? Math.max(1, said.resetAt - Math.ceil(now)) : 0
}

function quota(decision: Decision, limiter: PolicyDirectory): string {
  const window = windowOf(decision.policy, decision, limiter)
  return `${decision.limit}${window === undefined ? '' : `;w=${window}`}`
}

// Whole seconds, at least one, as the drafts have it. A quota's period has no fixed length.
function windowOf(name: string, decision: Decision, limiter: PolicyDirectory): number | undefined {
  const policy = policyOf(name, decision, limiter)
  return policy === undefined || policy.calendar !== undefined
    ? undefined
    : Math.max(1, Math.ceil(policy.window / 1e6))
}

// As it was when it decided: a resolver may give others of its name, and another limiter may have made the decision.
function policyOf(name: string, decision: Decision, limiter: PolicyDirectory): CompiledPolicy | undefined {
  return Decision.policyOf(decision, name) ?? limiter.policyNamed(name)
}

/** `90` as `1m30s`. */
function goDuration(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${rest}s`
}
