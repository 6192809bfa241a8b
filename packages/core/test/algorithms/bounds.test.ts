// A proof that doubles compute decisions as whole numbers of any size do. The sources run on numbers that stand for any number within the
// bounds of a policy, once for each path. A solver then looks for a case in which a product or a sum is not exact, or an answer is another
// than that of whole numbers. docs/evidence.md says what is proved.
import { fileURLToPath } from 'node:url'

import fc from 'fast-check'
import { expect, it } from 'vitest'

import type { Algorithm } from '../../src/algorithms/algorithm.ts'
import { algorithms } from '../../src/algorithms/index.ts'
import {
  MAX_EXACT,
  MOST_COST,
  MOST_COUNTED,
  MOST_UNITS,
  type Rule,
  type State,
} from '../../src/algorithms/rule.ts'
import type { Store } from '../../src/databases/index.ts'
import { keyed, world } from '../world.ts'
import { isFull } from '../../../../tools/full.ts'
import { type Operators, plainResult } from '../../../../tools/proof/operators.ts'
import { ask, caseOf, questionOf } from '../../../../tools/proof/solver.ts'
import { bundleOf, rewritten, run } from '../../../../tools/proof/source.ts'
import { type Path, Symbolic, type Value } from '../../../../tools/proof/symbolic.ts'

/** The latest instant: the year 2112. */
const LATEST = 2 ** 52
const YEAR = 366 * 86_400e6

const folder = fileURLToPath(new URL('../../src', import.meta.url))
const modules = ['algorithms/index', 'policy/rule-compiler', 'policy/compiled-policy']
const text = bundleOf(
  modules.map(path => `./${path}.ts`),
  folder,
)

/** The sources, as they run on numbers that stand for any. */
interface Source {
  readonly algorithms: Readonly<Record<'t' | 'f' | 's' | 'q', Algorithm>>
  readonly compilePolicy: (
    policy: object,
    context: object,
  ) => { rule(): Rule; addressCeilingRule(): Rule; inFlight?: Rule }
  readonly shareOf: (rule: Rule, instances: number, floor: number) => Rule
  readonly periodEnd: (edges: readonly number[], now: number) => number
}

const NAMES = ['algorithms', 'compilePolicy', 'shareOf', 'periodEnd']

/** What is proved. The body runs once for each path. */
interface Lemma {
  readonly name: string
  /** Whether it takes so long that only the full tests prove it. */
  readonly isLong?: boolean
  /** The expressions that may leave the exact numbers. */
  readonly mayLeave?: readonly string[]
  prove(numbers: Symbolic, source: Source): void
}

/** What is known of every rule. */
function boundsOf(numbers: Symbolic, { limit, capacity, unit, rate, window, slice }: Rule): string[] {
  const within = (value: number, most: number): string =>
    `(and ${numbers.is(1, '<=', value)} ${numbers.is(value, '<=', most)})`
  return [
    within(limit, MOST_UNITS),
    within(capacity, MOST_UNITS),
    within(unit, 2 ** 52),
    within(rate, MOST_UNITS),
    within(window, YEAR),
    within(slice, YEAR),
  ]
}

/** What is known of every rule of a bucket besides. */
const fullBound = (numbers: Symbolic, { capacity, unit }: Rule): string =>
  numbers.is(numbers.exact(capacity, '*', unit), '<=', 2 ** 52)

/** Any rule. */
function someRule(numbers: Symbolic, code: Rule['code']): Rule {
  const whole = (name: string): number => some(numbers, name, 1, MAX_EXACT)
  const rule: Rule = {
    code,
    counter: 'p',
    limit: whole('limit'),
    capacity: whole('capacity'),
    unit: whole('unit'),
    rate: whole('rate'),
    window: whole('window'),
    slice: whole('slice'),
    precision: 2,
    cooldown: 0,
    reduced: undefined,
  }
  for (const claim of boundsOf(numbers, rule)) numbers.fact(claim)
  if (code === 't') numbers.fact(fullBound(numbers, rule))
  return rule
}

/** Any whole number within bounds. */
function some(numbers: Symbolic, name: string, low: number, high: number): number {
  return numbers.whole(name, low, high) as Value as number
}

const someCost = (numbers: Symbolic): number => some(numbers, 'cost', 1, MOST_COST)

/** Any bucket, and the debt that whole numbers of any size find. */
function someBucket(numbers: Symbolic): { rule: Rule; state: State; now: number; debt: Value; room: Value } {
  const rule = someRule(numbers, 't')
  const at = some(numbers, 'at', 0, LATEST)
  const owed = some(numbers, 'owed', 0, MAX_EXACT)
  const elapsed = some(numbers, 'elapsed', -LATEST, LATEST)
  const now = numbers.exact(at, '+', elapsed) as Value as number
  numbers.fact(`(and ${numbers.is(0, '<=', now)} ${numbers.is(now, '<=', LATEST)})`)
  const left = numbers.exact(owed, '-', numbers.exact(elapsed, '*', rule.rate))
  const debt = numbers.whole('debt', 0, MAX_EXACT)
  numbers.fact(
    `(ite ${numbers.is(elapsed, '<=', 0)} ${numbers.is(debt, '=', owed)} (ite ${numbers.is(left, '>', 0)} ${numbers.is(debt, '=', left)} ${numbers.is(debt, '=', 0)}))`,
  )
  const room = numbers.exact(rule.capacity, '*', rule.unit)
  return { rule, state: [0, at, owed, rule.unit, rule.rate], now, debt, room }
}

/** Any sliding window with two sub-windows. */
function someWindow(numbers: Symbolic): { rule: Rule; state: State; now: number } {
  const rule = someRule(numbers, 's')
  const first = some(numbers, 'first', 0, LATEST + 2 * YEAR)
  const second = numbers.exact(first, '+', some(numbers, 'later', 1, YEAR)) as Value as number
  const [units, more] = [some(numbers, 'units', 0, MOST_COUNTED), some(numbers, 'more', 0, MOST_COUNTED)]
  numbers.fact(numbers.is(numbers.exact(units, '+', more), '<=', MOST_COUNTED))
  return { rule, state: [0, first, units, second, more], now: some(numbers, 'now', 0, LATEST) }
}

/** Any quota in a period that is open, with a hold. */
function someQuota(numbers: Symbolic): { rule: Rule; state: State; now: number; taken: Value } {
  const rule = someRule(numbers, 'q')
  const [end, now] = [some(numbers, 'end', 0, LATEST + YEAR), some(numbers, 'now', 0, LATEST)]
  numbers.fact(numbers.is(now, '<', end))
  const used = some(numbers, 'used', 0, MOST_COUNTED)
  const granted = some(numbers, 'granted', 0, MOST_UNITS)
  // Units are held only where they fit.
  const held = some(numbers, 'held', 1, 2 * MOST_UNITS)
  const until = some(numbers, 'until', 0, LATEST + YEAR)
  numbers.fact(numbers.is(now, '<', until))
  return { rule, state: [0, end, used, granted, until, held], now, taken: numbers.exact(used, '+', held) }
}

const ELAPSED = ['elapsed * state[4]', 'elapsed * rate']
const CHARGE = ['cost * rule.unit', 'debtAt(state, now, rule) + cost * rule.unit']

const lemmas: Lemma[] = [
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

/** The paths of a lemma about a text of the sources. */
function pathsOf(lemma: Lemma, of = text): Path[] {
  const numbers = new Symbolic(lemma.mayLeave ?? [])
  // The divisor is any common one, and a fix that an error names is no number to decide by.
  const any = 'gcd = (a, b) => $.gcd(a, b); nextLower = () => undefined'
  const source = run(`${rewritten(of)}\n${any}`, numbers, NAMES) as unknown as Source
  const paths = numbers.paths(() => lemma.prove(numbers, source))
  expect([...numbers.met].sort()).toEqual([...(lemma.mayLeave ?? [])].sort())
  return paths.filter(({ duties }) => duties.length > 0)
}

/**
 * A double is the nearest to the exact quotient, so it is off by at most 1 / 2^53 of it, and at the whole numbers next to it or between
 * them. For a = k * b + rest it is asked whether a / b, times b, can be rounded to a whole number that the exact quotient has not.
 */
const ROUNDING = `(declare-const a Int) (declare-const b Int) (declare-const kb Int) (declare-const rest Int) (declare-const double Real)
  (assert (and (<= 0 a ${MAX_EXACT}) (<= 1 b) (<= 0 kb) (<= 0 rest) (< rest b) (= a (+ kb rest))))
  (assert (<= (- a) (* ${2 ** 53}.0 (- double a)) a))
  (assert (and (<= kb double (+ kb b)) (=> (= rest 0) (= double kb))))
  (assert (or (= double (+ kb b)) (and (> rest 0) (= double kb))))`

/** The sources, each with a mistake that a lemma must find. */
const mistakes: [lemma: string, from: RegExp, to: string, isLong?: boolean][] = [
  ['every policy of token-bucket', /(capacity \* unit <=) (?=MOST_DEBT)/, '$1 2 * '],
  ['a fixed window counts', /(MOST_COUNTED = 2 \*\*) 52/, '$1 53'],
  ['a bucket admits', /(?<=<= )(rule\.capacity \* rule\.unit)/, '2 * $1'],
  ['a bucket takes back', /debt > back \? debt - back/, 'debt > back ? debt - 2 * back'],
  ['every policy of token-bucket', /Math\.min\(times, most, exact\)/, 'Math.min(times, exact)', true],
  ['what one process has', /MAX_EXACT \/ 2 \/ \(capacity/, '2 * MAX_EXACT / (capacity', true],
]

it('no case is found in which the arithmetic is not exact, and mistakes are found', async () => {
  const asked = [{ name: 'rounding', questions: [ROUNDING], answer: 'unsat' }]
  for (const lemma of lemmas) {
    if (!isFull && lemma.isLong === true) continue
    const paths = pathsOf(lemma)
    asked.push({ name: lemma.name, questions: paths.map(questionOf), answer: 'unsat' })
    // What holds of no number would prove everything.
    asked.push({ name: `${lemma.name}, of some numbers`, questions: paths.map(caseOf), answer: 'sat' })
  }
  for (const [start, from, to, isLong] of mistakes) {
    if (!isFull && isLong === true) continue
    const lemma = lemmas.find(({ name }) => name.startsWith(start))!
    expect(text).toMatch(from)
    const questions = pathsOf(lemma, text.replace(from, to)).map(questionOf)
    asked.push({ name: `${lemma.name}, if ${to}`, questions, answer: 'sat' })
  }
  for (const { questions } of asked) expect(questions.length).toBeGreaterThan(0)
  const answers = await ask(asked.map(({ questions }) => questions))
  expect(asked.map(({ name }, i) => [name, answers[i]])).toEqual(
    asked.map(({ name, answer }) => [name, answer]),
  )
})

it('a source whose operators are calls computes what the source does', () => {
  const plain: Operators = {
    binary: plainResult,
    unary: (operator, value) =>
      operator === 'typeof' ? typeof value : operator === '-' ? -(value as number) : Number(value),
    Math,
    Number,
  }
  const source = run(rewritten(text), plain, NAMES) as unknown as Source
  const whole = (max: number): fc.Arbitrary<number> =>
    fc.double({ min: 0, max: Math.log2(max), noNaN: true }).map(log => Math.floor(2 ** log))
  const numbers = fc.tuple(
    whole(1e12),
    whole(YEAR),
    whole(LATEST),
    whole(MAX_EXACT),
    whole(LATEST),
    whole(1e12),
  )
  fc.assert(
    fc.property(numbers, ([limit, window, at, owed, now, cost]) => {
      for (const [code, algorithm] of Object.entries(source.algorithms)) {
        const rule: Rule = {
          code: code as 't',
          counter: 'p',
          limit,
          capacity: limit,
          unit: 7,
          rate: 3,
          window,
          slice: 5,
          precision: 2,
          cooldown: 0,
          reduced: undefined,
        }
        const state = (): State => (code === 't' ? [0, at, owed, 7, 3] : [0, at, owed])
        const answers = (by: Algorithm): unknown => {
          const changed = state()
          const told = [
            by.fits(changed, now, cost, rule),
            by.wait(changed, now, cost, rule),
            by.remaining(changed, now, rule),
            by.used(changed, now, rule),
          ]
          by.charge(changed, now, cost, rule)
          return [told, changed]
        }
        if ('tfsq'.includes(code)) expect(answers(algorithm)).toEqual(answers(algorithms[code as 't']))
      }
    }),
    { numRuns: 200 },
  )
})

it('the limit of an address is never beyond what can be counted', async () => {
  const { limiter, store } = world()
  const rules: Rule[] = []
  const noting: Store = {
    kind: 'noting',
    evaluate(group) {
      rules.push(...group.demands.map(({ rule }) => rule))
      return store.evaluate(group)
    },
    forget: () => 0,
  }
  const policy = { name: 'p', limit: MOST_UNITS, window: '1ms', burst: 1, keyStrategy: 'api-key' } as const
  await limiter(policy, { store: noting, keysPerAddress: 1e6 }).check(keyed('a'))
  expect(rules).toHaveLength(2)
  for (const { limit, rate } of rules) expect([limit, rate]).toEqual([MOST_UNITS, MOST_UNITS])
})
