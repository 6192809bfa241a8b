import {
  algorithms,
  codes,
  type Edges,
  type Rule,
  type Demand,
  type Group,
  Mode,
  mostOwed,
  type PenaltyDemand,
  PenaltyMode,
  type PenaltyRule,
  ruleInForce,
  tells,
} from '@halt/core/store'
import { compilePenalty, compileRule } from '@halt/core/testing'

import { START } from './bench.ts'
import type { Charged } from './charged.ts'
import { randomHold, randomUseOfHold } from './random-holds.ts'
import { randomFollowUp } from './random-places.ts'
import { randomAsk, randomLine, randomTerms } from './random-terms.ts'
import { randomNumbers } from './random-numbers.ts'
import { randomShare } from './random-shares.ts'

/** One step of a history: time passes, then groups are sent to the store in one turn of the event loop. */
export interface Step {
  /** Microseconds since the step before. */
  readonly advance: number
  /** Makes the groups. `past` are the latest charges, which a settlement may correct. */
  readonly groups: (past: readonly Charged[]) => Group[]
}

const SECOND = 1e6
const ALGORITHMS = Object.keys(codes) as (keyof typeof codes)[]
const penalty = compilePenalty({
  threshold: 2,
  duration: 5,
  multiplier: 0.5,
  decayRate: 600,
  cooldown: '500ms',
})
const harsh = compilePenalty({
  threshold: 1.5,
  duration: 3,
  decayRate: 0,
  cooldown: 0,
  escalation: { factor: 1.7, maxDuration: 20 },
})

/**
 * Writes a random history of groups. It has several policies per group, costs, cool-downs, pauses, quotas, penalties, settlements,
 * idempotency keys, callers that wait, start, leave or accept fewer units, units that calls hold, bursts, a moving clock, and settings that change while keys are in use.
 *
 * @param withTwoSubjects whether a group may touch two subjects. A cluster cannot decide such a group at one instant
 */
export function randomHistory(seed: number, steps: number, withTwoSubjects = true): Step[] {
  const random = randomNumbers(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const whole = (most: number): number => Math.floor(random() * most)
  const subjects = ['ip:203.0.113.7', 'user:42', 'custom:a b\'"', 'ip:2001:db8::/56']

  const rule = (algorithm: keyof typeof codes, changed: boolean): Rule => {
    const limit = changed ? pick([3, 7, 10, 33, 100]) : 10
    const window = changed ? pick([0.25, 1, 1.5, 7, 60]) * SECOND : 2 * SECOND
    const capacity = algorithm === 'token-bucket' ? pick([limit, limit + 5, Math.max(3, limit - 4)]) : limit
    const cooldown = random() < 0.3 ? pick([0.2, 1.1, 3]) * SECOND : 0
    const numbers = {
      algorithm,
      counter: `p_${algorithm}`,
      limit,
      capacity,
      window,
      precision: pick([1, 3, 10]),
      cooldown,
      floor: 1,
    }
    return compileRule(numbers, algorithm === 'quota' ? undefined : 0.5)
  }
  // Sometimes the clock of the application is hours off, in either direction.
  const edgesAt = (clock: number): Edges => {
    const seen = clock + (random() < 0.8 ? 0 : pick([-7200, -9, 9, 7200]) * SECOND)
    const start = seen - (seen % (3 * SECOND))
    return [start, start + 3 * SECOND, start + 6 * SECOND]
  }
  const fixed = Object.fromEntries(ALGORITHMS.map(algorithm => [algorithm, rule(algorithm, false)]))
  const open = Object.fromEntries(
    ALGORITHMS.map(algorithm => [
      algorithm,
      [0, 0, 0.7 * SECOND].map(cooldown => ({ ...(fixed[algorithm] as Rule), cooldown })),
    ]),
  )

  let now = START
  const demand = (subject: string, algorithm: keyof typeof codes, mode: Mode): Demand => {
    const cost = pick([1, 1, 1, 1, 2, 3, 0, 12, 150])
    const isHold = algorithm === 'quota' && mode !== Mode.PEEK && mode !== Mode.DEFER && random() < 0.5
    return {
      rule: random() < 0.7 ? (fixed[algorithm] as Rule) : rule(algorithm, true),
      subject,
      cost,
      mode,
      edges: algorithm === 'quota' ? edgesAt(now) : undefined,
      penalized: algorithm !== 'quota' && random() < 0.7,
      terms: isHold ? randomHold(random, pick, cost) : randomTerms(random, pick, cost, mode),
    }
  }
  // A client is paused or resumed, whatever the cool-down of its policies.
  const pause = (): Group => {
    const algorithm = pick(ALGORITHMS)
    const cooldown = pick([1, 0.2 * SECOND, 3 * SECOND, 0])
    const paused = { rule: { ...(fixed[algorithm] as Rule), cooldown, reduced: undefined }, cost: 0 }
    return {
      demands: [{ ...demand(pick(subjects), algorithm, Mode.BLOCK), ...paused, terms: undefined }],
    }
  }
  // One counter alone has the shortest replies. Its policy may have lost its cool-down, or got one.
  const alone = (): Group => {
    const algorithm = pick(['token-bucket', 'token-bucket', 'fixed-window', 'sliding-window'] as const)
    const mode = pick([Mode.CHARGE, Mode.CHARGE, Mode.CHARGE, Mode.SHADOW, Mode.PEEK])
    const rule = pick([...(open[algorithm] as Rule[]), fixed[algorithm] as Rule])
    return { demands: [{ rule, subject: pick(subjects), cost: pick([1, 1, 3, 9]), mode, penalized: false }] }
  }
  const ruleOfPenalty = (): PenaltyRule => (random() < 0.8 ? penalty : harsh).rule
  const penaltyOf = (subject: string, isPeek = false): PenaltyDemand | undefined => {
    if (random() < 0.5) return undefined
    const mode = isPeek || random() < 0.25 ? PenaltyMode.READ : PenaltyMode.WATCH
    return { rule: ruleOfPenalty(), subject, mode, amount: 0 }
  }
  const idempotencyOf = (subject: string, counter: string, chance: number): Group['idempotency'] =>
    random() < chance
      ? {
          subject,
          counter: `${counter}@key${whole(3)}:i`,
          window: SECOND,
          edges: random() < 0.5 ? edgesAt(now) : undefined,
        }
      : undefined
  const fresh = (): Group => {
    const subject = pick(subjects)
    const chosen = ALGORITHMS.filter(() => random() < 0.4)
    const other = withTwoSubjects && random() < 0.3 ? pick(subjects) : subject
    const modeOf = randomAsk(random, pick)
    const demands = (chosen.length === 0 ? [pick(ALGORITHMS)] : chosen).map((algorithm, i) =>
      demand(i % 2 === 0 ? subject : other, algorithm, modeOf()),
    )
    const isPeek = demands[0]?.mode === Mode.PEEK
    const idempotency = isPeek ? undefined : idempotencyOf(subject, 'p_quota', 0.1)
    return { demands, penalty: penaltyOf(subject, isPeek), idempotency }
  }
  // A lease takes units of a bucket for some time.
  const lease = (): Group => {
    const own = demand(pick(subjects), 'token-bucket', Mode.CHARGE)
    return {
      demands: [
        { ...own, cost: Math.max(1, own.cost), terms: { least: 1, keptFor: pick([20_000, 700_000]) } },
      ],
    }
  }
  // Operators and applications change counters and penalties by hand.
  const byHand = (): Group => {
    const subject = pick(subjects)
    const [algorithm, mode] = pick([
      ['quota', Mode.GRANT],
      ['quota', Mode.RESET],
      ['fixed-window', Mode.RESET],
      ['token-bucket', Mode.RESET],
      ['token-bucket', Mode.LOOK],
      ['token-bucket', Mode.BLOCK],
      ['fixed-window', Mode.BLOCK],
      ['sliding-window', Mode.BLOCK],
      ['quota', undefined],
    ] as const)
    if (mode === undefined) {
      const numbers = pick([
        { mode: PenaltyMode.RECORD, amount: whole(3e6) },
        { mode: PenaltyMode.APPLY, amount: 1 + whole(4e6) },
        { mode: PenaltyMode.READ, amount: 0 },
      ])
      return { demands: [], penalty: { rule: ruleOfPenalty(), subject, ...numbers } }
    }
    const told = { ...demand(subject, algorithm, mode), terms: undefined, penalized: false }
    // A third of the grants are taken back.
    const back = mode === Mode.GRANT && random() < 0.3 ? -1 : 1
    if (mode === Mode.GRANT)
      return {
        demands: [{ ...told, cost: back * told.cost }],
        idempotency: idempotencyOf(subject, 'p_quota', 0.2),
      }
    return { demands: [{ ...told, cost: 0 }] }
  }
  const line = (): Group => {
    const [subject, other] = subjects as [string, string]
    const places = [subject, withTwoSubjects ? pick([subject, other]) : subject, subject]
    const demands = randomLine(random, pick, places.slice(0, 1 + whole(3)), Object.values(fixed))
    return { demands, penalty: random() < 0.7 ? undefined : penaltyOf(subject), idempotency: undefined }
  }
  // A tenant asks a pool, sometimes together with another counter.
  const share = (past: readonly Charged[]): Group => {
    const subject = subjects[0]!
    const shared = randomShare(random, pick, subject, past)
    const isAsked = shared[0]!.terms !== undefined
    const other = isAsked && random() < 0.2 ? [demand(subject, pick(ALGORITHMS), shared[0]!.mode)] : []
    return {
      demands: random() < 0.5 ? [...shared, ...other] : [...other, ...shared],
      penalty: random() < 0.8 || !isAsked ? undefined : penaltyOf(subject, shared[0]!.mode === Mode.PEEK),
      idempotency:
        isAsked && shared[0]!.mode !== Mode.PEEK ? idempotencyOf(subject, 'p_pool', 0.05) : undefined,
    }
  }
  const followUp = (past: readonly Charged[]): Group[] => randomFollowUp(random, pick, past)
  const useOfHold = (past: readonly Charged[]): Group[] => randomUseOfHold(random, pick, past)
  const settlement = (past: readonly Charged[]): Group[] => {
    const { group, evaluation } = past[Math.max(0, past.length - 1 - whole(5))] as Charged
    const isShared = group.demands.some(({ terms }) => terms?.share !== undefined)
    const demands = group.demands.flatMap((charged, i): Demand[] => {
      if (tells(charged) || charged.mode === Mode.PEEK) return []
      const inForce = ruleInForce(charged, evaluation)
      const algorithm = algorithms[inForce.code]
      const part = algorithm.chargedTo(evaluation.states[i] ?? [], evaluation.now, inForce)
      // A lease names the instant of its charge.
      const since = evaluation.now - pick([0, -1, 1, 90_000])
      const chargedTo = algorithm.layout === 'bucket' && random() < 0.3 ? since : part
      // A place in flight is only given back.
      const changes = [-4, -3, -2, -1, ...(algorithm.isFlight ? [] : [1, 2, 3])]
      const near = random() < 0.5 ? pick(changes) : -(evaluation.grants?.[i] ?? charged.cost)
      // A settlement far beyond what is owed.
      const cost =
        random() < 0.02 && !isShared
          ? (algorithm.isFlight ? -1 : pick([1, -1])) * mostOwed(charged.rule)
          : near
      if (cost === 0) return []
      const { share: shared } = charged.terms ?? {}
      // A ticket that is not used is given back.
      const ticket = cost < 0 && random() < 0.3 ? shared?.ticket : undefined
      const terms = shared && { share: { ...shared, ticket, wantsTicket: false } }
      return [{ ...charged, mode: Mode.SETTLE, cost, chargedTo, terms }]
    })
    if (demands.length === 0) return []
    const { subject } = demands[0]!
    const read = random() < 0.3 ? penaltyOf(subject, true) : undefined
    return [{ demands, penalty: read, idempotency: idempotencyOf(subject, 'p_quota', 0.1) }]
  }

  return Array.from({ length: steps }, () => {
    const advance = pick([
      0,
      0,
      1,
      17,
      1_000,
      50_000,
      250_000,
      1_000_003,
      4 * SECOND,
      random() < 0.05 ? 90 * SECOND : 333,
    ])
    now += advance
    const burst = random() < 0.25 ? 2 + whole(6) : 1
    const kind = random()
    const make = kind < 0.25 ? line : kind < 0.5 ? share : kind < 0.65 ? alone : fresh
    const groups = Array.from({ length: burst }, () =>
      random() < 0.15
        ? settlement
        : make === line && random() < 0.5
          ? followUp
          : make === share
            ? share
            : random() < 0.15
              ? useOfHold
              : pick([
                  make as () => Group,
                  make as () => Group,
                  make as () => Group,
                  make as () => Group,
                  byHand,
                  lease,
                  pause,
                ])(),
    )
    return {
      advance,
      groups: (past: readonly Charged[]) =>
        groups.flatMap(group => (typeof group !== 'function' ? group : past.length === 0 ? [] : group(past))),
    }
  })
}
