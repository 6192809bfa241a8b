// A proof that doubles compute decisions as whole numbers of any size do. The sources run on numbers that stand for any number within the
// bounds of a policy, once for each path. A solver then looks for a case in which a product or a sum is not exact, or an answer is another
// than that of whole numbers.
import { fileURLToPath } from 'node:url'

import fc from 'fast-check'
import { expect, it } from 'vitest'

import type { Algorithm } from '../../src/algorithms/algorithm.ts'
import { algorithms } from '../../src/algorithms/index.ts'
import { MAX_EXACT, MOST_UNITS, type Rule, type State } from '../../src/algorithms/rule.ts'
import type { Store } from '../../src/databases/index.ts'
import { keyed, world } from '../world.ts'
import { isFull } from '../../../../tools/full.ts'
import { type Operators, plainResult } from '../../../../tools/proof/operators.ts'
import { ask, caseOf, questionOf } from '../../../../tools/proof/solver.ts'
import { bundleOf, rewritten, run } from '../../../../tools/proof/source.ts'
import { type Path, Symbolic } from '../../../../tools/proof/symbolic.ts'
import { LATEST, YEAR } from './any-numbers.ts'
import { type Lemma, lemmas, type Source } from './lemmas.ts'

const folder = fileURLToPath(new URL('../../src', import.meta.url))
const modules = ['algorithms/index', 'policy/rule-compiler', 'policy/compiled-policy']
const text = bundleOf(
  modules.map(path => `./${path}.ts`),
  folder,
)

const NAMES = ['algorithms', 'compilePolicy', 'shareOf', 'periodEnd']

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
