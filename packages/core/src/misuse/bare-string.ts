import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'

/** The identity that names the client of a key strategy, as users write it. */
const IDENTITIES: Readonly<Partial<Record<CompiledPolicy['keyStrategy'], string>>> = {
  user: '{ user }',
  'api-key': '{ apiKey }',
  composite: '{ user, ip }',
}

/** Warns of a bare string for a policy that counts requests under a user or an API key: the two counters are different. */
export function noticeBareString(policies: readonly CompiledPolicy[], warn: Warn): void {
  const policy = policies.find(
    one => one.keyExtractor === undefined && IDENTITIES[one.keyStrategy] !== undefined,
  )
  if (policy === undefined) return
  const named = IDENTITIES[policy.keyStrategy]
  // The text may be an API key, so it is not repeated.
  warn({
    code: 'HALT_W_BARE_STRING',
    message: `A call names its client by a bare string, which is { custom } for a limiter. "${policy.name}" counts requests under ${named}, so the call has another counter.`,
    fix: `Write ${named} to share the counter of the requests, or { custom } if you mean a name of your own.`,
  })
}
