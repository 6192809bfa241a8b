import { MOST_UNITS } from '../algorithms/index.ts'
import { binds } from '../check/decision-reader.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { Decision } from '../check/decision.ts'
import type { PolicyVerdict } from '../check/verdict-reader.ts'
import type { Limiter } from '../limiter/limiter.ts'

/** Headers by name. */
export type Headers = Record<string, string>

/** The part of a limiter that a dialect uses: the windows of policies, and partition keys. */
export type PolicyDirectory = Pick<Limiter, 'policyNamed' | 'partitionOf' | 'warn'>

/** Sets headers on a target, one by one. The names of Halt's own headers come in lower case, as Node keeps them. */
export interface HeaderSink<T> {
  set(target: T, name: string, value: string): void
}

/** Writes a decision's headers in one dialect, one by one. */
// perf: bench "fastify: halt"; with a target and a constant sink, a request makes no closure.
export type Write = <T>(decision: Decision, target: T, sink: HeaderSink<T>, limiter: PolicyDirectory) => void

/** The limit, as far as a structured header can hold it. A quota with a grant may have more. */
const most = ({ limit }: Decision | PolicyVerdict): number => Math.min(limit, MOST_UNITS)

const shown = (verdict: Decision | PolicyVerdict): number =>
  Math.max(0, Math.min(verdict.remaining, most(verdict)))

const isEnforced = ({ mode }: PolicyVerdict): boolean => mode === 'enforce'

const standard: Write = (decision, target, sink) => {
  sink.set(target, 'ratelimit-limit', String(most(decision)))
  sink.set(target, 'ratelimit-remaining', String(shown(decision)))
  sink.set(target, 'ratelimit-reset', String(decision.resetAt))
}

const draft6: Write = (decision, target, sink, limiter) => {
  sink.set(target, 'ratelimit-policy', policyField(decision, limiter))
  sink.set(target, 'ratelimit-limit', String(most(decision)))
  sink.set(target, 'ratelimit-remaining', String(shown(decision)))
  sink.set(target, 'ratelimit-reset', String(secondsLeft(decision, decision)))
}

const draft7: Write = (decision, target, sink, limiter) => {
  const reset = secondsLeft(decision, decision)
  sink.set(target, 'ratelimit-policy', policyField(decision, limiter))
  sink.set(target, 'ratelimit', `limit=${most(decision)}, remaining=${shown(decision)}, reset=${reset}`)
}

// As express-rate-limit writes it: with spaces, and with a partition key instead of the key.
const draft8 = structured('; ', (verdict, limiter) => `; pk=:${limiter.partitionOf(verdict.key)}:`)

const draft11 = structured(';', () => '')

/** All enforced policies in one list of structured fields (RFC 9651). Policy names are validated to need no escaping. */
function structured(
  separator: string,
  partition: (verdict: PolicyVerdict, limiter: PolicyDirectory) => string,
): Write {
  const join = (...parts: readonly string[]): string => parts.join(separator)
  return (decision, target, sink, limiter) => {
    const all = decision.verdicts.filter(isEnforced)
    // An empty list is not sent (RFC 9651). It is empty when the store is unavailable and every policy is open.
    if (all.length === 0) return
    const policies = all.map(verdict => {
      const parts = [`"${verdict.policy}"`, `q=${most(verdict)}`]
      const policy = policyOf(verdict.policy, decision, limiter)
      const window = windowOf(policy)
      if (window !== undefined) parts.push(`w=${window}`)
      // The draft's own name where it has one. Users choose the others, and validation keeps them from escaping.
      const unit = policy?.algorithm === 'concurrency' ? 'concurrent-requests' : policy?.unit
      if (unit !== undefined) parts.push(`qu="${unit}"`)
      return join(...parts) + partition(verdict, limiter)
    })
    const left = all.map(verdict => {
      const parts = [`"${verdict.policy}"`, `r=${shown(verdict)}`]
      // No time brings a key.
      if (verdict.reason !== 'missing-key') parts.push(`t=${secondsLeft(verdict, decision)}`)
      return join(...parts)
    })
    sink.set(target, 'ratelimit-policy', policies.join(', '))
    sink.set(target, 'ratelimit', left.join(', '))
  }
}

const xRateLimit: Write = (decision, target, sink) => {
  sink.set(target, 'x-ratelimit-limit', String(most(decision)))
  sink.set(target, 'x-ratelimit-remaining', String(shown(decision)))
  sink.set(target, 'x-ratelimit-used', String(most(decision) - shown(decision)))
  sink.set(target, 'x-ratelimit-reset', String(decision.resetAt))
}

// A policy counts what its unit says. Without one it counts tokens if its name contains "token" or "tpm", else requests. The tightest
// of each is shown. Money is not shown.
const openai: Write = (decision, target, sink, limiter) => {
  const tightest = new Map<string, PolicyVerdict>()
  for (const verdict of decision.verdicts.filter(isEnforced)) {
    const own = policyOf(verdict.policy, decision, limiter)?.unit
    const unit = /token|tpm/i.test(own ?? verdict.policy) ? 'tokens' : 'requests'
    if (own !== undefined && unit === 'requests' && !/request/i.test(own)) continue
    const other = tightest.get(unit)
    if (other === undefined || binds(verdict, other)) tightest.set(unit, verdict)
  }
  for (const [unit, verdict] of tightest) {
    sink.set(target, `x-ratelimit-limit-${unit}`, String(most(verdict)))
    sink.set(target, `x-ratelimit-remaining-${unit}`, String(shown(verdict)))
    sink.set(target, `x-ratelimit-reset-${unit}`, goDuration(secondsLeft(verdict, decision)))
  }
}

/**
 * The names of the dialects. A new dialect needs a row in {@link DIALECTS}, a line in docs/headers.md and a case in the
 * adapter suite.
 */
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

/**
 * Seconds by the store's clock, rounded up: after a refusal until the request passes the policy, else until its counter is
 * back to zero.
 */
function secondsLeft(verdict: Decision | PolicyVerdict, decision: Decision): number {
  if (!verdict.allowed && verdict.retryAfter !== Number.POSITIVE_INFINITY) return verdict.retryAfter
  const exact = Decision.timeToReset(decision, verdict.policy)
  if (exact !== undefined) return Math.ceil(exact / 1e6)
  // For a copy, or a refusal that no counter decided. `resetAt` is already rounded up.
  const now = Decision.instantOf(decision) ?? Date.now() / 1000
  return verdict.resetAt > now ? Math.max(1, verdict.resetAt - Math.ceil(now)) : 0
}

function policyField(decision: Decision, limiter: PolicyDirectory): string {
  const window = windowOf(policyOf(decision.policy, decision, limiter))
  return `${most(decision)}${window === undefined ? '' : `;w=${window}`}`
}

// Whole seconds, at least one, as the drafts require. A quota has no fixed window, because calendar periods differ in length.
function windowOf(policy: CompiledPolicy | undefined): number | undefined {
  return policy === undefined || policy.calendar !== undefined
    ? undefined
    : Math.max(1, Math.ceil(policy.window / 1e6))
}

// The policy as it was at the decision, because a resolver may return another policy of this name, or another limiter may have
// decided.
function policyOf(name: string, decision: Decision, limiter: PolicyDirectory): CompiledPolicy | undefined {
  return Decision.policyOf(decision, name) ?? limiter.policyNamed(name)
}

/** Writes seconds as a Go duration: `90` becomes `1m30s`. */
function goDuration(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${rest}s`
}
