import type { Rule } from './algorithms/index.ts'
import type { CompiledPenalty } from './penalty-config.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { type Cost, costFor, type WHOLE_LIMIT } from './cost.ts'
import type { Digest } from './digest.ts'
import type { FoundKey } from './request/caller.ts'
import { UNKNOWN_ADDRESS, type Subject } from './request/identity.ts'
import { scatter } from './scatter.ts'
import { type Demand, type Group, Mode, type OnceDemand, PenaltyMode } from './store/contract.ts'

/** One policy that applies to a request, and whose counter it asks for. */
export interface Item {
  readonly policy: CompiledPolicy
  readonly key: FoundKey
  readonly cost: number
  readonly shadow: boolean
  /** Its demand's place in the group. */
  readonly at: number
  /** The place of the demand that all unverified keys of the address share; -1 when there is none. */
  readonly guard: number
  /** The place of the demand for a lease, where the cost is taken at the end; -1 when there is none. */
  readonly lease: number
}

/** What a check asks the store: the items people know, the group that the store sees. */
export interface Question {
  readonly items: readonly Item[]
  readonly group: Group
}

/** A policy and the key that was found for it. */
export interface Keyed {
  readonly policy: CompiledPolicy
  readonly key: FoundKey
}

/** What a question needs besides policies and keys. */
export interface QuestionContext {
  readonly cost: Cost | typeof WHOLE_LIMIT | undefined
  readonly peek: boolean
  readonly route: string | undefined
  /** The address that vouches for unverified keys. */
  readonly address: Subject
  readonly penalty: CompiledPenalty | undefined
  readonly principal: Subject | undefined
  readonly idempotencyKey: string | undefined
  readonly digest: Digest
}

/** Writes the group that decides all policies of a request at once. */
export function ask(keyed: readonly Keyed[], context: QuestionContext): Question {
  const items: Item[] = []
  const demands: Demand[] = []
  for (let i = 0; i < keyed.length; i++) {
    const { policy, key } = keyed[i] as Keyed
    const shadow = isShadow(policy, key.subject)
    const cost = costFor(policy, context.cost)
    const mode = context.peek
      ? Mode.PEEK
      : shadow
        ? Mode.SHADOW
        : policy.lease === undefined
          ? Mode.CHARGE
          : Mode.HOLD
    const edges = policy.edges()
    const penalized = policy.calendar === undefined && isPenalized(key.subject, context.principal)
    // Written out, here and in the answer: spreading objects took nine tenths of a whole check.
    const at =
      demands.push({ rule: policy.rule(context.route), subject: key.subject, cost, mode, edges, penalized }) -
      1
    const guard = key.unverified
      ? demands.push({
          rule: policy.guardRule(),
          subject: context.address,
          cost,
          mode,
          edges,
          penalized: false,
        }) - 1
      : -1
    const lease =
      policy.lease !== undefined && mode !== Mode.SHADOW
        ? demands.push(leaseOf(policy.lease, key.subject, mode)) - 1
        : -1
    items.push({ policy, key, cost, shadow, at, guard, lease })
  }
  return { items, group: { demands, penalty: penaltyOf(context), once: onceOf(items, demands, context) } }
}

function leaseOf(rule: Rule, subject: Subject, mode: Mode): Demand {
  return {
    rule,
    subject,
    cost: 1,
    mode: mode === Mode.HOLD ? Mode.CHARGE : mode,
    edges: undefined,
    penalized: false,
  }
}

function penaltyOf({ penalty, principal, peek }: QuestionContext): Group['penalty'] {
  if (penalty === undefined || principal === undefined || principal === UNKNOWN_ADDRESS) return undefined
  const mode = penalty.records && !peek ? PenaltyMode.WATCH : PenaltyMode.READ
  return { rule: penalty.rule, subject: principal, mode, amount: 0 }
}

function isPenalized(subject: Subject, principal: Subject | undefined): boolean {
  if (principal === undefined) return false
  return (
    subject === principal || (subject.startsWith(principal) && subject.startsWith('+ip:', principal.length))
  )
}

// Beside the first policy's counter, so that one limiter's keys are not another's; for as long as the longest counts.
function onceOf(
  items: readonly Item[],
  demands: readonly Demand[],
  context: QuestionContext,
): OnceDemand | undefined {
  const { idempotencyKey, digest } = context
  const first = items[0]
  if (idempotencyKey === undefined || first === undefined) return undefined
  const window = Math.max(...items.map(({ policy }) => policy.window))
  const edges = demands.map(demand => demand.edges).filter(found => found !== undefined)
  const last = edges.sort((a, b) => b[1] - a[1])[0]
  const { subject, rule } = demands[first.at] as Demand
  const counter = rule.cell.slice(0, rule.cell.search(/[@:]/))
  return { subject, cell: `${counter}@${digest(idempotencyKey)}:i`, window, edges: last }
}

function isShadow(policy: CompiledPolicy, subject: Subject): boolean {
  const { shadow, name } = policy
  return shadow > 0 && (shadow === 1 || scatter(`${name} ${subject}`) / 2 ** 32 < shadow)
}
