import {
  type CounterId,
  type Demand,
  type Evaluation,
  type Group,
  type IdempotencyDemand,
  type PenaltyDemand,
  plainEvaluation,
  type State,
  type StoreFailure,
  type Terms,
  type VersionedText,
} from '@halt/core/store'
import type { HaltWarning } from '@halt/core'

/** Marks the messages of Halt among those of the application, and their form. */
export const MARK = '@halt/cluster 1'

/** A demand in as few letters as may be: the number of its rule, the subject, the cost and the mode. */
type ShortDemand = readonly [rule: number, subject: string, cost: number, mode: Demand['mode']]

type Share = NonNullable<Terms['share']>

/** A demand with all it has, and the numbers of its rule and of its tenant's. */
type LongDemand = Omit<Demand, 'rule' | 'terms'> & {
  readonly rule: number
  readonly terms?:
    | (Omit<Terms, 'share'> & {
        readonly share?: (Omit<Share, 'rule'> & { readonly rule: number }) | undefined
      })
    | undefined
}

/** A group whose rules are numbers. */
export interface SentGroup {
  readonly demands: readonly (ShortDemand | LongDemand)[]
  readonly penalty?: (Omit<PenaltyDemand, 'rule'> & { readonly rule: number }) | undefined
  readonly idempotency?: IdempotencyDemand | undefined
}

/** A rule of a demand or of a penalty. */
export type AnyRule = Demand['rule'] | PenaltyDemand['rule']

/** What a worker asks its primary. */
export type Question =
  | {
      readonly ask: 'evaluate'
      readonly groups: readonly SentGroup[]
      /** The rules that this worker has not sent before, by their numbers. */
      readonly rules?: readonly (readonly [number, AnyRule])[] | undefined
      /** Whether the primary shall forget the rules of this worker first. */
      readonly isAnew?: boolean | undefined
    }
  | { readonly ask: 'forget'; readonly counters: readonly CounterId[] }
  | { readonly ask: 'read'; readonly name: string; readonly since: string | undefined }
  | { readonly ask: 'write'; readonly name: string; readonly text: string; readonly since: string }
  | { readonly ask: 'probe' }
  | { readonly ask: 'inspect' }

/** An evaluation of few numbers: the instant, whether it was allowed, which demands passed and which started a cool-down, the counters. */
type ShortEvaluation = readonly [
  now: number,
  allowed: 0 | 1,
  passes: number,
  starts: number,
  states: readonly State[],
]

/** An error as plain data. */
export interface SentError {
  readonly message: string
  readonly failure?: StoreFailure | undefined
  readonly code?: string | undefined
  readonly fix?: string | undefined
  readonly reply?: unknown
  readonly unsent?: unknown
  readonly counter?: unknown
}

/** What a primary answers, by what was asked. */
export interface Answers {
  readonly evaluate: readonly (ShortEvaluation | Evaluation | { readonly error: SentError })[]
  readonly forget: number
  /** null if the document has the version that the reader knows. */
  readonly read: VersionedText | null
  /** null if somebody else has written. */
  readonly write: string | null
  readonly probe: null
  readonly inspect: readonly HaltWarning[]
}

/** What every message has. */
interface Envelope {
  readonly halt: typeof MARK
  /** The store that asks: a worker may have several, each with rules of its own. */
  readonly from: string
  readonly id: number
}

/** A message of a worker. */
export type Asked = Envelope & Question

/** A message of the primary. */
export interface Answered extends Envelope {
  /** The processes that share the store, by what the primary knows. */
  readonly processes: number
  readonly answer?: unknown
  readonly error?: SentError
}

/** The `reply` of an error: the primary lacks a rule, and nothing was charged. */
export const UNKNOWN_RULE = 'unknown rule'

/** Whether a message is one of Halt. */
export function isOurs(message: unknown): message is Envelope {
  return typeof message === 'object' && message !== null && (message as { halt?: unknown }).halt === MARK
}

// So many demands are bits of a number.
const MOST_BITS = 30

/** Writes a group without its rules. */
export function shortGroup(
  { demands, penalty, idempotency }: Group,
  numberOf: (rule: AnyRule) => number,
): SentGroup {
  const short = demands.map((demand): ShortDemand | LongDemand => {
    const { rule, subject, cost, mode, edges, chargedTo, penalized, terms } = demand
    const isPlain = edges === undefined && chargedTo === undefined && !penalized && terms === undefined
    if (isPlain) return [numberOf(rule), subject, cost, mode]
    const share = terms?.share && { ...terms.share, rule: numberOf(terms.share.rule) }
    return { ...demand, rule: numberOf(rule), terms: terms && { ...terms, share } }
  })
  if (penalty === undefined && idempotency === undefined) return { demands: short }
  return { demands: short, penalty: penalty && { ...penalty, rule: numberOf(penalty.rule) }, idempotency }
}

/** Reads what {@link shortGroup} has written. */
export function wholeGroup(
  { demands, penalty, idempotency }: SentGroup,
  ruleOf: (rule: number) => AnyRule,
): Group {
  return {
    demands: demands.map(demand => {
      if (!isShortDemand(demand)) {
        const { share, ...terms } = demand.terms ?? {}
        const whole = share && { ...share, rule: ruleOf(share.rule) as Demand['rule'] }
        const rule = ruleOf(demand.rule) as Demand['rule']
        return { ...demand, rule, terms: demand.terms && { ...terms, share: whole } }
      }
      const [rule, subject, cost, mode] = demand
      return { rule: ruleOf(rule) as Demand['rule'], subject, cost, mode, penalized: false }
    }),
    penalty: penalty && { ...penalty, rule: ruleOf(penalty.rule) as PenaltyDemand['rule'] },
    idempotency,
  }
}

function isShortDemand(demand: ShortDemand | LongDemand): demand is ShortDemand {
  return Array.isArray(demand)
}

/** Writes an evaluation in few numbers, if they tell it, else as plain data. */
export function shortEvaluation(evaluation: Evaluation): ShortEvaluation | Evaluation {
  const { now, allowed, repeated, passes, starts, states, shares, penalty } = evaluation
  const { instants, startsIn, grants } = evaluation
  const isPlain = instants === undefined && startsIn === undefined && grants === undefined
  const hasShare = shares?.some(({ length }) => length > 0) === true
  if (!isPlain || hasShare || repeated || penalty.length > 0 || passes.length > MOST_BITS)
    return plainEvaluation(evaluation)
  return [now, allowed ? 1 : 0, bitsOf(passes), bitsOf(starts), states]
}

/** Reads what {@link shortEvaluation} has written. */
export function wholeEvaluation(answer: ShortEvaluation | Evaluation): Evaluation {
  if (!isShortEvaluation(answer)) return answer
  const [now, allowed, passes, starts, states] = answer
  const { length } = states
  return {
    now,
    allowed: allowed === 1,
    repeated: false,
    passes: booleansOf(passes, length),
    starts: starts === 0 ? [] : booleansOf(starts, length),
    states,
    penalty: [],
  }
}

function isShortEvaluation(answer: ShortEvaluation | Evaluation): answer is ShortEvaluation {
  return Array.isArray(answer)
}

function bitsOf(flags: readonly boolean[]): number {
  return flags.reduce((bits, flag, i) => (flag ? bits | (1 << i) : bits), 0)
}

function booleansOf(bits: number, length: number): boolean[] {
  return Array.from({ length }, (_, i) => (bits & (1 << i)) !== 0)
}

/** An error's fields that a limiter reads. */
export function sentError(error: unknown): SentError {
  const { failure, code, fix, reply, unsent, counter } = (error ?? {}) as SentError
  const message = error instanceof Error ? error.message : String(error)
  return { message, failure, code, fix, reply, unsent, counter }
}

/** Makes an error of the primary again, in a worker. */
export function errorOf({ message, ...fields }: SentError): Error {
  return Object.assign(new Error(message), fields)
}
