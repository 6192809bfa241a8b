import type { CompiledPolicy } from './compiled-policy.ts'
import type { Decision, PolicyVerdict } from './decision.ts'
import type { Caller } from './request/caller.ts'
import type { ClientIp, Hop } from './request/client-ip.ts'
import { readHeader } from './request/view.ts'

/** One policy in an explanation. */
export interface PolicyExplanation {
  readonly policy: string
  readonly algorithm: string
  readonly limit: number
  /** Why it does not count the request; undefined when it does. */
  readonly exemption: string | undefined
  /** Whose counter, and how that was found; undefined when it counts nothing. */
  readonly key: string | undefined
  readonly keyFoundBy: string | undefined
  readonly verdict: PolicyVerdict | undefined
}

/** Why a request would be let in or refused: the key and how it was found, each proxy hop, each policy. */
export interface Explanation {
  readonly decision: Decision
  /** The hops from the socket to the client, and why each was or was not believed. */
  readonly hops: readonly Hop[]
  readonly policies: readonly PolicyExplanation[]
  /** All of it as text. */
  toString(): string
}

/** What an explanation is made of. */
export interface ExplanationParts {
  readonly decision: Decision
  readonly policies: readonly CompiledPolicy[]
  readonly caller?: Caller
  readonly exemptions?: readonly { readonly policy: CompiledPolicy; readonly why: string | undefined }[]
  readonly walk?: ClientIp
}

/** Writes an explanation from a decision that consumed nothing. */
export function explain({ decision, policies, caller, exemptions, walk }: ExplanationParts): Explanation {
  const { view } = caller ?? {}
  const hops =
    walk === undefined || view === undefined ? [] : walk.walk(view.ip, name => readHeader(view.headers, name))
  const explained = policies.map(policy => {
    const verdict = decision.verdicts.find(said => said.policy === policy.name)
    const exemption = exemptions?.find(entry => entry.policy === policy)?.why
    return Object.freeze({
      policy: policy.name,
      algorithm: policy.algorithm,
      limit: policy.limit,
      exemption: policy.off ? 'its mode is "off"' : exemption,
      key: verdict?.key,
      keyFoundBy: caller === undefined ? 'the given identity' : keyFoundBy(policy, caller),
      verdict,
    })
  })
  const explanation = { decision, hops, policies: explained }
  return Object.freeze({ ...explanation, toString: () => write(explanation) })
}

function keyFoundBy(policy: CompiledPolicy, caller: Caller): string {
  if (policy.keyExtractor !== undefined) return 'the key extractor, else onMissingKey'
  return (
    caller.key(policy.keyStrategy)?.how ??
    `no ${policy.keyStrategy} found: onMissingKey "${policy.onMissingKey}"`
  )
}

function write({ decision, hops, policies }: Omit<Explanation, 'toString'>): string {
  const lines = [
    `${decision.allowed ? 'Allowed' : 'Refused'}: ${decision.reason}${decision.policy && ` (${decision.policy})`}`,
  ]
  for (const { address, why } of hops) lines.push(`  from ${JSON.stringify(address)}: ${why}`)
  for (const { policy, algorithm, exemption, key, keyFoundBy: how, verdict } of policies) {
    if (verdict === undefined) {
      lines.push(`  ${policy} (${algorithm}): not counted${exemption === undefined ? '' : `, ${exemption}`}`)
      continue
    }
    const wait = verdict.allowed ? 'passes' : `refuses: ${verdict.reason}, passes in ${verdict.retryAfter} s`
    lines.push(
      `  ${policy} (${algorithm}) for ${JSON.stringify(key)} by ${how}: ${verdict.remaining} of ${verdict.limit} left, ${wait}`,
    )
  }
  return lines.join('\n')
}
