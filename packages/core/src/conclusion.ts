import { answer, pass, refusal } from './answer.ts'
import type { Decision } from './decision.ts'
import type { Item, Question } from './question.ts'
import type { Judgement } from './resilience/judge.ts'

/** Reads what was judged, by the store or in its place, into a decision. */
export function conclude(judgement: Judgement, question: Question): Decision {
  if (!('degraded' in judgement)) return answer(question, judgement.verdict)
  const { degraded, closing, verdict, question: local } = judgement
  if (closing !== undefined) return refusal('store-error', uncounted(closing), Date.now(), 'closed', 1)
  if (local.items.length > 0) return answer(local, verdict, degraded)
  return pass(uncounted(question.items[0] as Item), Date.now(), true)
}

function uncounted({ policy, key, cost }: Item): {
  policy: string
  limit: number
  key: string
  cost: number
} {
  return { policy: policy.name, limit: policy.limit, key: key.subject, cost }
}
