import { answer, exempt, refusal } from './answer.ts'
import { Decision } from './decision.ts'
import type { Question } from './question.ts'
import type { Judgement } from './resilience/judge.ts'

/** Reads what was judged, by the store or in its place, into a decision. */
export function conclude(judgement: Judgement, question: Question): Decision {
  if (!('degraded' in judgement)) return answer(question, judgement.verdict)
  const { degraded, closing, verdict, question: local } = judgement
  if (closing !== undefined) {
    const { policy, key, cost } = closing
    const item = { policy: policy.name, limit: policy.limit, key: key.subject, cost }
    return refusal('store-error', item, Date.now(), 'closed', 1)
  }
  if (local.items.length > 0) return answer(local, verdict, degraded)
  const [first] = question.items
  const item = { policy: first?.policy.name ?? '', limit: first?.policy.limit ?? 0, key: first?.key.subject ?? '' }
  const open = exempt(item, Date.now())
  return new Decision({ ...fieldsOf(open), reason: 'ok', cost: first?.cost ?? 0, degraded: 'open' }, undefined, Date.now() / 1000)
}

function fieldsOf({ allowed, policy, limit, remaining, resetAt, retryAfter, key, verdicts }: Decision): Omit<Decision, 'reason' | 'cost' | 'degraded'> {
  return { allowed, policy, limit, remaining, resetAt, retryAfter, key, verdicts }
}
