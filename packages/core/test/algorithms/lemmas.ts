// What is proved of the arithmetic. docs/evidence.md says it in plain words.
import type { Algorithm } from '../../src/algorithms/algorithm.ts'
import {
  MAX_EXACT,
  MOST_COST,
  MOST_COUNTED,
  MOST_UNITS,
  type Rule,
  type State,
} from '../../src/algorithms/rule.ts'
import type { Symbolic, Value } from '../../../../tools/proof/symbolic.ts'
import {
  boundsOf,
  fullBound,
  LATEST,
  some,
  someBucket,
  someCost,
  someQuota,
  someRule,
  someWindow,
  YEAR,
} from './any-numbers.ts'

/** The sources, as they run on numbers that stand for any. */
export interface Source {
  readonly algorithms: Readonly<Record<'t' | 'f' | 's' | 'q', Algorithm>>
  readonly compilePolicy: (
    policy: object,
    context: object,
  ) => { rule(): Rule; addressCeilingRule(): Rule; inFlight?: Rule }
  readonly shareOf: (rule: Rule, instances: number, floor: number) => Rule
  readonly periodEnd: (edges: readonly number[], now: number) => number
}

/** What is proved. The body runs once for each path. */
export interface Lemma {
  readonly name: string
  /** Whether it takes so long that only the full tests prove it. */
  readonly isLong?: boolean
  /** The expressions that may leave the exact numbers. */
  readonly mayLeave?: readonly string[]
  prove(numbers: Symbolic, source: Source): void
}

const ELAPSED = ['elapsed * state[4]', 'elapsed * rate']
const CHARGE = ['cost * rule.unit', 'debtAt(state, now, rule) + cost * rule.unit']

export const lemmas: Lemma[] = [
  {
    name: 'a bucket admits what whole numbers admit, and owes it exactly',
    mayLeave: [...ELAPSED, ...CHARGE],
    prove(numbers, { algorithms }) {
      const { rule, state, now, debt, room } = someBucket(numbers)
      const cost = someCost(numbers)
      const sum = numbers.exact(debt, '+', numbers.exact(cost, '*', rule.unit))
      const fits = algorithms.t.fits(state, now, cost, rule)
      numbers.claim('fits', numbers.is(sum, fits ? '<=' : '>', room))
      if (!fits) return
      algorithms.t.charge(state, now, cost, rule)
      numbers.claim('charge', numbers.is(state[2]!, '=', sum))
      numbers.claim('full', numbers.is(algorithms.t.freshAt(state), '<=', 2 ** 53))
    },
  },
  {
    name: 'a bucket that is charged beyond its capacity owes it exactly, or the most that it can',
    isLong: true,
    mayLeave: [...ELAPSED, ...CHARGE],
    prove(numbers, { algorithms }) {
      const { rule, state, now, debt } = someBucket(numbers)
      const cost = someCost(numbers)
      const sum = numbers.exact(debt, '+', numbers.exact(cost, '*', rule.unit))
      algorithms.t.charge(state, now, cost, rule)
      numbers.claim(
        'charge',
        `(ite ${numbers.is(sum, '<', MAX_EXACT)} ${numbers.is(state[2]!, '=', sum)} ${numbers.is(state[2]!, '=', MAX_EXACT)})`,
      )
    },
  },
  {
    name: 'a bucket takes back exactly what is given back',
    mayLeave: [...ELAPSED, 'amount * rule.unit'],
    prove(numbers, { algorithms }) {
      const { rule, state, now, debt } = someBucket(numbers)
      const amount = some(numbers, 'amount', 1, MOST_COST)
      algorithms.t.refund(state, now, amount, rule, 0)
      const left = numbers.exact(debt, '-', numbers.exact(amount, '*', rule.unit))
      numbers.claim(
        'refund',
        `(ite ${numbers.is(left, '>', 0)} ${numbers.is(state[2]!, '=', left)} ${numbers.is(state[2]!, '=', 0)})`,
      )
    },
  },
  {
    name: 'a bucket tells exactly how long to wait',
    mayLeave: ELAPSED,
    prove(numbers, { algorithms }) {
      const { rule, state, now, debt, room } = someBucket(numbers)
      const cost = someCost(numbers)
      const wait = algorithms.t.wait(state, now, cost, rule)
      if (wait === Infinity) return numbers.claim('never', numbers.is(cost, '>', rule.capacity))
      const over = numbers.exact(numbers.exact(debt, '+', numbers.exact(cost, '*', rule.unit)), '-', room)
      const paid = numbers.exact(wait, '*', rule.rate)
      const before = numbers.exact(paid, '-', rule.rate)
      numbers.claim(
        'wait',
        `(ite ${numbers.is(over, '<=', 0)} ${numbers.is(wait, '=', 0)} (and ${numbers.is(paid, '>=', over)} ${numbers.is(before, '<', over)}))`,
      )
    },
  },
  {
    name: 'a bucket tells exactly what is left and used',
    isLong: true,
    mayLeave: ELAPSED,
    prove(numbers, { algorithms }) {
      const { rule, state, now, debt, room } = someBucket(numbers)
      const left = numbers.exact(algorithms.t.remaining(state, now, rule), '*', rule.unit)
      const owed = numbers.exact(left, '+', debt)
      const more = numbers.exact(owed, '+', rule.unit)
      numbers.claim(
        'remaining',
        `(and ${numbers.is(room, '<', more)} (or ${numbers.is(left, '=', 0)} ${numbers.is(owed, '<=', room)}))`,
      )
      const used = numbers.exact(algorithms.t.used(state, now, rule), '*', rule.unit)
      const fewer = numbers.exact(used, '-', rule.unit)
      numbers.claim('used', `(and ${numbers.is(used, '>=', debt)} ${numbers.is(fewer, '<', debt)})`)
    },
  },
  {
    name: 'a bucket charges units of a lease exactly as if they were used at its end',
    isLong: true,
    mayLeave: [...ELAPSED, ...CHARGE],
    prove(numbers, { algorithms }) {
      const { rule, state, now, debt, room } = someBucket(numbers)
      const time = some(numbers, 'time', 1, YEAR)
      const [cost, later] = [someCost(numbers), numbers.exact(time, '*', rule.rate)]
      // A process keeps units for less than a quarter of the time in which a bucket fills.
      numbers.fact(numbers.is(numbers.exact(later, '*', 4), '<=', room))
      const sum = numbers.exact(debt, '+', numbers.exact(cost, '*', rule.unit))
      if (!algorithms.t.fits(state, now, cost, rule)) return
      algorithms.t.chargeFor!(state, now, cost, time, rule)
      const atEnd = numbers.exact(later, '+', numbers.exact(cost, '*', rule.unit))
      numbers.claim(
        'charge',
        `(ite ${numbers.is(debt, '>', later)} ${numbers.is(state[2]!, '=', sum)} ${numbers.is(state[2]!, '=', atEnd)})`,
      )
    },
  },
  {
    name: 'a fixed window counts exactly',
    prove(numbers, { algorithms }) {
      const rule = someRule(numbers, 'f')
      const [end, now] = [some(numbers, 'end', 0, LATEST + YEAR), some(numbers, 'now', 0, LATEST)]
      const units = some(numbers, 'used', 0, MOST_COUNTED)
      const state: State = [0, end, units]
      const cost = someCost(numbers)
      const left = some(numbers, 'others', 0, MOST_UNITS)
      const used = algorithms.f.used(state, now, rule)
      const sum = numbers.exact(numbers.exact(used, '+', cost), '+', left)
      const fits = algorithms.f.fits(state, now, numbers.exact(cost, '+', left) as Value as number, rule)
      numbers.claim('fits', numbers.is(sum, fits ? '<=' : '>', rule.limit))
      algorithms.f.charge(state, now, cost, rule)
      const most = numbers.exact(used, '+', cost)
      numbers.claim('at most', numbers.is(state[2]!, '<=', MOST_COUNTED))
      numbers.claim(
        'charge',
        `(or ${numbers.is(state[2]!, '=', most)} ${numbers.is(most, '>=', MOST_COUNTED)})`,
      )
    },
  },
  {
    name: 'a fixed window tells exactly how long to wait, and what is left',
    isLong: true,
    prove(numbers, { algorithms }) {
      const rule = someRule(numbers, 'f')
      const [end, now] = [some(numbers, 'end', 0, LATEST + YEAR), some(numbers, 'now', 0, LATEST)]
      const state: State = [0, end, some(numbers, 'used', 0, MOST_COUNTED)]
      const used = algorithms.f.used(state, now, rule)
      const left = numbers.exact(algorithms.f.remaining(state, now, rule), '+', used)
      numbers.claim('left', `(or ${numbers.is(left, '=', rule.limit)} ${numbers.is(rule.limit, '<=', used)})`)
      const wait = algorithms.f.wait(state, now, someCost(numbers), rule)
      if (wait !== Infinity && wait !== 0)
        numbers.claim('wait', numbers.is(numbers.exact(now, '+', wait), '=', end))
    },
  },
  {
    name: 'a sliding window admits what whole numbers admit, and so do requests in flight',
    prove(numbers, { algorithms }) {
      const { rule, state, now } = someWindow(numbers)
      const cost = someCost(numbers)
      const fits = algorithms.s.fits(state, now, cost, rule)
      const sum = numbers.exact(algorithms.s.used(state, now, rule), '+', cost)
      numbers.claim('fits', numbers.is(sum, fits ? '<=' : '>', rule.limit))
      algorithms.s.wait(state, now, cost, rule)
    },
  },
  {
    name: 'a sliding window charges exactly, and so do requests in flight',
    prove(numbers, { algorithms }) {
      const { rule, state, now } = someWindow(numbers)
      const cost = someCost(numbers)
      const used = algorithms.s.used(state, now, rule)
      const sum = numbers.exact(used, '+', cost)
      numbers.fact(numbers.is(sum, '<=', rule.limit))
      algorithms.s.charge(state, now, cost, rule)
      const charged = state.reduce<Value>(
        (all, units, i) => (i > 0 && i % 2 === 0 ? numbers.exact(all, '+', units) : all),
        0,
      )
      numbers.claim('charge', numbers.is(charged, '=', sum))
    },
  },
  {
    name: 'a quota counts exactly, with what is granted and held',
    prove(numbers, { algorithms }) {
      const { rule, state, now, taken } = someQuota(numbers)
      const cost = someCost(numbers)
      const fits = algorithms.q.fits(state, now, cost, rule)
      const limit = numbers.exact(rule.limit, '+', state[3]!)
      numbers.claim('fits', numbers.is(numbers.exact(taken, '+', cost), fits ? '<=' : '>', limit))
      numbers.claim('limit', numbers.is(algorithms.q.limit(state, now, rule), '=', limit))
      algorithms.q.wait(state, now, cost, rule)
    },
  },
  {
    name: 'a quota has what is left exactly, and counts what is charged and granted',
    isLong: true,
    prove(numbers, { algorithms }) {
      const { rule, state, now, taken } = someQuota(numbers)
      const limit = numbers.exact(rule.limit, '+', state[3]!)
      const left = numbers.exact(algorithms.q.remaining(state, now, rule), '+', taken)
      numbers.claim('left', `(or ${numbers.is(left, '=', limit)} ${numbers.is(limit, '<=', taken)})`)
      algorithms.q.grant!(state, now, some(numbers, 'grant', 1, MOST_UNITS), rule)
      numbers.claim('granted', numbers.is(state[3]!, '<=', MOST_UNITS))
      algorithms.q.charge(state, now, someCost(numbers), rule)
      numbers.claim('at most', numbers.is(state[2]!, '<=', MOST_COUNTED))
    },
  },
  {
    name: 'the periods of a quota end at whole instants',
    prove(numbers, { periodEnd }) {
      const [start, now] = [some(numbers, 'start', 0, LATEST), some(numbers, 'now', 0, LATEST)]
      const end = numbers.exact(start, '+', some(numbers, 'length', 1, YEAR)) as Value as number
      const next = numbers.exact(end, '+', some(numbers, 'next', 1, YEAR)) as Value as number
      numbers.claim('end', numbers.is(now, '<', periodEnd([start, end, next], now)))
    },
  },
  ...(['token-bucket', 'fixed-window', 'sliding-window', 'concurrency'] as const).map((algorithm): Lemma => ({
    name: `every policy of ${algorithm} that is accepted has these bounds, and so has the limit of an address`,
    mayLeave: algorithm === 'token-bucket' ? ['capacity * unit'] : [],
    prove(numbers, { compilePolicy }) {
      const policy = {
        name: 'p',
        algorithm,
        limit: some(numbers, 'limit', -MAX_EXACT, MAX_EXACT),
        [algorithm === 'concurrency' ? 'ttl' : 'window']: numbers.real('window', -MAX_EXACT, MAX_EXACT),
        burst: algorithm === 'token-bucket' ? some(numbers, 'burst', -MAX_EXACT, MAX_EXACT) : undefined,
      }
      const keysPerAddress = some(numbers, 'keys', 1, 1e6)
      const compiled = compilePolicy(policy, { multiplier: undefined, keysPerAddress })
      for (const rule of [compiled.rule(), compiled.addressCeilingRule()]) {
        for (const claim of boundsOf(numbers, rule)) numbers.claim('bound', claim)
        if (algorithm === 'token-bucket') numbers.claim('full', fullBound(numbers, rule))
      }
    },
  })),
  {
    name: 'what one process has of a limit in an outage has these bounds',
    isLong: true,
    mayLeave: ['capacity * unit'],
    prove(numbers, { shareOf }) {
      const rule = someRule(numbers, 't')
      const share = shareOf(rule, some(numbers, 'instances', 1, 1e6), 1)
      for (const claim of boundsOf(numbers, share)) numbers.claim('bound', claim)
      numbers.claim('full', fullBound(numbers, share))
    },
  },
]
