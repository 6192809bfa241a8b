import { binds } from '../check/decision-reader.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { Decision } from '../check/decision.ts'
import type { PolicyVerdict } from '../check/policy-verdict.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'

/** Headers by name. */
export type Headers = Record<string, string>

/** What a dialect needs of a limiter: its policies' windows, and what stands for a key. */
export type PolicyDirectory = Pick<RateLimiter<never>, 'policyNamed' | 'partitionOf' | 'warn'>

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

// The form of express-rate-limit: spaces, and a partition key that stands for the key.
const draft8 = structured('; ', (said, limiter) => `; pk=:${limiter.partitionOf(said.key)}:`)

const draft11 = structured(';', () => '')

/** All enforced policies in one list of structured fields (RFC 9651). Policy names are validated to need no escaping. */
function structured(
  separator: string,
  partition: (said: PolicyVerdict, limiter: PolicyDirectory) => string,
): Write {
  const join = (...parts: readonly string[]): string => parts.join(separator)
  return (decision, limiter) => {
    const all = decision.verdicts.filter(isEnforced)
    // An empty list is no field (RFC 9651). It is empty when the store is away and every policy is open.
    if (all.length === 0) return {}
    const policies = all.map(said => {
      const parts = [`"${said.policy}"`, `q=${said.limit}`]
      const window = windowOf(said.policy, decision, limiter)
      if (window !== undefined) parts.push(`w=${window}`)
      if (policyOf(said.policy, decision, limiter)?.algorithm === 'concurrency')
        parts.push('qu="concurrent-requests"')
      return join(...parts) + partition(said, limiter)
    })
    const left = all.map(said => join(`"${said.policy}"`, `r=${shown(said)}`, `t=${delta(said, decision)}`))
    return { 'RateLimit-Policy': policies.join(', '), RateLimit: left.join(', ') }
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

/** The names of the dialects. A new one needs a row in {@link DIALECTS}, a line in docs/headers.md and a case in the adapter suite. */
export type Dialect = 'standard' | 'draft-6' | 'draft-7' | 'draft-8' | 'draft-11' | 'x-ratelimit' | 'openai'

/** The dialects by name. */
export const DIALECTS: Readonly<Record<Dialect, Write>> = {
  standard,
  'draft-6': draft6,
  'draft-7': draft7,
  'draft-8': draft8,
  'draft-11': draft11,
  'x-ratelimit': xRateLimit,
  openai,
}

/** Seconds by the store's clock, rounded up: until the policy lets a refused request pass, else until its counter is back to zero. */
function delta(said: Decision | PolicyVerdict, decision: Decision): number {
  if (!said.allowed && said.retryAfter !== Number.POSITIVE_INFINITY) return said.retryAfter
  const exact = Decision.timeToReset(decision, said.policy)
  if (exact !== undefined) return Math.ceil(exact / 1e6)
  // A copy, or a refusal that no counter decided. `resetAt` is rounded up already.
  const now = Decision.instantOf(decision) ?? Date.now() / 1000
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
