import { answer, pass, refusal, type Uncounted } from './decision-reader.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Decision } from './decision.ts'
import type { Check } from './check.ts'
import type { Judgement } from '../resilience/guarded-store.ts'
import type { StoreClock } from '../store/store-clock.ts'
import type { Demand } from '../store/contract.ts'

/** Reads what was judged, by the store or in its place, into a decision. */
export function conclude(judgement: Judgement, check: Check, clock: StoreClock): Decision {
  if (!('degraded' in judgement)) return answer(check, judgement)
  const { degraded, closing, evaluation, check: local } = judgement
  if (closing >= 0) return refusal('store-error', uncounted(check, closing), clock.now(), 'closed', 1)
  if (local.policies.length > 0) return answer(local, evaluation, degraded)
  return pass(uncounted(check, 0), clock.now(), true)
}

function uncounted({ policies, demands }: Check, at: number): Uncounted {
  const { name, limit } = policies[at] as CompiledPolicy
  const { subject, cost } = demands[at] as Demand
  return { policy: name, limit, key: subject, cost }
}
