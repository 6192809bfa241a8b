// Numbers that stand for any number, and the doubles that a computer makes of them.
import { plainResult, type Operators } from './operators.ts'
import { constant, nameOf, plus, product, productsIn, type Sum, textOf, unknown } from './terms.ts'

/** A double that stands for any of its kind. */
export class Any {
  declare readonly sum: Sum
  declare readonly isWhole: boolean
  /** What it is the quotient of, if it is one that is not rounded yet. */
  declare readonly of: readonly [Value, Value] | undefined

  constructor(sum: Sum, isWhole: boolean, of?: readonly [Value, Value]) {
    this.sum = sum
    this.isWhole = isWhole
    this.of = of
  }

  /** A number of this kind must not be taken for true, for text or for a number by what is not rewritten. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return textOf(this.sum)
    throw new TypeError(`What is not rewritten took ${textOf(this.sum)}.`)
  }
}

export type Value = Any | number

/** What must hold on a path. */
interface Duty {
  /** The expression, or what is said of the answer. */
  readonly text: string
  readonly claim: string
}

/** What one path through a source is: what holds on it, and what must hold. */
export interface Path {
  readonly facts: readonly string[]
  readonly duties: readonly Duty[]
}

type Comparison = '<' | '<=' | '>' | '>=' | '='

/** The largest distance from zero up to which doubles hold every whole number. */
const EXACT = 2 ** 53
const MOST_PATHS = 2000

/** Runs sources on {@link Any} numbers, once for each path that they can take. */
export class Symbolic implements Operators {
  /** The expressions that may leave the exact numbers. */
  readonly #mayLeave: ReadonlySet<string>
  /** Those of them that were met. */
  readonly met: Set<string> = new Set()
  #facts = new Set<string>()
  #duties: Duty[] = []
  #choices: boolean[] = []
  #at = 0
  #count = 0
  #made = new Map<string, Any>()
  /** The differences that are not negative, by the numbers in them. */
  #least = new Map<string, Sum[]>()
  /** What was divided by to get a number. */
  #divisors = new Map<string, Value>()
  /** The quotients of numbers of which it is known that others divide them. */
  #quotients = new Map<string, Map<string, Any>>()

  /** @param mayLeave the expressions that may leave the exact numbers. Of their results it is only known that they are as large */
  constructor(mayLeave: readonly string[]) {
    this.#mayLeave = new Set(mayLeave)
  }

  /** Every path of `body`. */
  paths(body: () => void): Path[] {
    const paths: Path[] = []
    this.#choices = []
    for (;;) {
      this.#facts = new Set()
      this.#duties = []
      this.#made = new Map()
      this.#quotients = new Map()
      this.#divisors = new Map()
      this.#least = new Map()
      this.#at = this.#count = 0
      try {
        body()
      } catch (error) {
        // A policy that is refused has nothing to prove.
        if ((error as { code?: unknown }).code === undefined) throw error
        this.#duties = []
      }
      paths.push({ facts: [...this.#facts], duties: this.#duties })
      if (paths.length > MOST_PATHS) throw new Error('There are too many paths.')
      this.#choices.length = this.#at
      while (this.#choices.at(-1) === false) this.#choices.pop()
      if (this.#choices.length === 0) return paths
      this.#choices[this.#choices.length - 1] = false
    }
  }

  /** A whole number within bounds. */
  whole(name: string, low: Value, high: Value): Any {
    return this.#within(this.#fresh('Int', name), low, high)
  }

  /** Any double within bounds. */
  real(name: string, low: Value, high: Value): Any {
    return this.#within(this.#fresh('Real', name), low, high)
  }

  #within(any: Any, low: Value, high: Value): Any {
    this.fact(this.is(low, '<=', any))
    this.fact(this.is(any, '<=', high))
    return any
  }

  /** Says what holds on this path. */
  fact(claim: string): void {
    this.#facts.add(`(assert ${claim})`)
  }

  /** Says that a number is at least another one. */
  #atLeast(greater: Value, less: Value): void {
    const difference = plus(sumOf(greater), sumOf(less), -1n)
    for (const side of [greater, less])
      if (side instanceof Any)
        this.#least.set(keyOf(side), [...(this.#least.get(keyOf(side)) ?? []), difference])
  }

  /** Says what must hold on this path. */
  claim(text: string, claim: string): void {
    this.#duties.push({ text, claim })
  }

  /** The claim that two numbers compare so. */
  is(left: Value, comparison: Comparison, right: Value): string {
    return `(${comparison} ${textOf(plus(sumOf(left), sumOf(right), -1n))} 0)`
  }

  /** A sum, difference or product as whole numbers of any size have it. */
  exact(left: Value, operator: '+' | '-' | '*', right: Value): Any {
    const isWhole = [left, right].every(isWholeNumber)
    if (operator !== '*')
      return new Any(plus(sumOf(left), sumOf(right), operator === '+' ? 1n : -1n), isWhole)
    const [a, b] = [sumOf(left), sumOf(right)]
    const found = product(a, b)
    for (const names of productsIn(found)) this.#declare(names)
    this.#bound(a, b, found)
    // What is at least another number is so as well after both are multiplied.
    for (const [one, other] of [[a, b] as const, [b, a] as const])
      for (const least of this.#least.get(textOf(one)) ?? []) this.#multiply(least, other)
    return new Any(found, isWhole)
  }

  #multiply(a: Sum, b: Sum): void {
    const found = product(a, b)
    for (const names of productsIn(found)) this.#declare(names)
    this.#bound(a, b, found)
  }

  /** Declares a product. */
  #declare(names: readonly string[]): void {
    const name = nameOf(names)
    const isReal = names.some(one => !one.startsWith('i'))
    const declaration = `(declare-const ${name} ${isReal ? 'Real' : 'Int'})`
    if (this.#facts.has(declaration)) return
    this.#facts.add(declaration)
    const [first = '', ...rest] = names
    if (rest.length > 1) this.#declare(rest)
    this.#bound(
      unknown(first),
      { parts: new Map([['', { names: rest, times: 1n }]]), by: 1n },
      {
        parts: new Map([['', { names, times: 1n }]]),
        by: 1n,
      },
    )
  }

  /** Says what the signs and the sizes of two numbers say about their product. */
  #bound(left: Sum, right: Sum, found: Sum): void {
    if (productsIn(found).length === 0) return
    const [a, b, all] = [textOf(left), textOf(right), textOf(found)]
    this.fact(`(=> (and (>= ${a} 0) (>= ${b} 0)) (>= ${all} 0))`)
    this.fact(`(=> (and (>= ${a} 1) (>= ${b} 0)) (>= ${all} ${b}))`)
    this.fact(`(=> (and (>= ${a} 0) (>= ${b} 1)) (>= ${all} ${a}))`)
    this.fact(`(=> (and (<= ${a} 0) (>= ${b} 0)) (<= ${all} 0))`)
    this.fact(`(=> (and (<= ${a} 0) (>= ${b} 1)) (<= ${all} ${a}))`)
    this.fact(`(=> (and (>= ${a} 0) (<= ${b} 0)) (<= ${all} 0))`)
  }

  /** Some common divisor of two numbers: that it is the greatest is not used. */
  gcd(a: Value, b: Value): Value {
    if (b === 0) return a
    const divisor = this.#fresh('Int', 'gcd')
    this.fact(this.is(1, '<=', divisor))
    for (const whole of [a, b]) this.#atLeast(whole, this.#divides(divisor, whole))
    return divisor
  }

  #divides(divisor: Any, whole: Value): Any {
    const times = this.#fresh('Int', 'times')
    this.fact(this.is(1, '<=', times))
    this.fact(this.is(whole, '=', this.exact(times, '*', divisor)))
    const key = keyOf(whole)
    // What a number divides, its own divisors divide as well.
    for (const [other, quotients] of this.#quotients) {
      const outer = quotients.get(key)
      if (outer !== undefined && other !== key) quotients.set(keyOf(divisor), this.exact(outer, '*', times))
    }
    const known = this.#quotients.get(key) ?? new Map<string, Any>()
    this.#quotients.set(key, known.set(keyOf(divisor), times))
    return times
  }

  binary(operator: string, left: unknown, right: unknown, text: string): unknown {
    if (!(left instanceof Any) && !(right instanceof Any)) return plainResult(operator, left, right)
    if (operator === '==' || operator === '===') return this.#equal(left, right)
    if (operator === '!=' || operator === '!==') return !this.#equal(left, right)
    if (typeof left === 'string' || typeof right === 'string') return `${String(left)}${String(right)}`
    const [a, b] = [left as Value, right as Value]
    if (operator === '<' || operator === '<=' || operator === '>' || operator === '>=')
      return this.#compare(a, operator, b)
    return this.#compute(operator, a, b, text)
  }

  unary(operator: string, value: unknown): unknown {
    if (operator === 'typeof') return value instanceof Any ? 'number' : typeof value
    if (!(value instanceof Any)) return operator === '-' ? -(value as number) : Number(value)
    return operator === '-' ? this.exact(0, '-', value) : value
  }

  readonly Math: object = Object.assign(Object.create(Math) as object, {
    floor: (value: Value) => this.#round(value, 'floor'),
    ceil: (value: Value) => this.#round(value, 'ceil'),
    round: (value: Value) =>
      value instanceof Any
        ? this.#round(this.#compute('+', value, 0.5, 'Math.round'), 'floor')
        : Math.round(value),
    min: (...values: Value[]) => values.reduce((a, b) => this.#pick(a, '<=', b)),
    max: (...values: Value[]) => values.reduce((a, b) => this.#pick(a, '>=', b)),
  })

  readonly Number: object = new Proxy(Number, {
    get: (target, name) =>
      name === 'isInteger'
        ? isWholeNumber
        : name === 'isNaN'
          ? (value: unknown) => Number.isNaN(value)
          : (Reflect.get(target, name) as unknown),
  })

  #pick(a: Value, comparison: '<=' | '>=', b: Value): Value {
    const isLeast = comparison === '<='
    if (!(a instanceof Any) && !(b instanceof Any)) return isLeast ? Math.min(a, b) : Math.max(a, b)
    if (a === Infinity || a === -Infinity) return a > 0 === isLeast ? b : a
    if (b === Infinity || b === -Infinity) return b > 0 === isLeast ? a : b
    return this.#compare(a, comparison, b) ? a : b
  }

  #equal(left: unknown, right: unknown): boolean {
    if (left === right) return true
    if ([left, right].some(value => !(value instanceof Any) && typeof value !== 'number')) return false
    return this.#compare(left as Value, '=', right as Value)
  }

  #compare(left: Value, comparison: Comparison, right: Value): boolean {
    for (const [value, isLeft] of [[left, true] as const, [right, false] as const])
      if (value === Infinity || value === -Infinity)
        return comparison !== '=' && value > 0 === (comparison.startsWith('>') === isLeft)
    const [a, b] = [this.#settled(left), this.#settled(right)]
    if (comparison === '>' || comparison === '>=') return this.#compare(b, comparison === '>' ? '<' : '<=', a)
    const difference = plus(sumOf(a), sumOf(b), -1n)
    // What compares with a quotient compares with what was divided, once it is multiplied.
    for (const side of [a, b]) {
      const divisor = this.#divisors.get(keyOf(side))
      if (divisor !== undefined) this.exact(this.exact(b, '-', a), '*', divisor)
    }
    if (textOf(difference) === '0') return comparison !== '<'
    // The same question in other words has the same answer.
    const [holds, fails] = [
      this.is(a, comparison, b),
      comparison === '=' ? `(not ${this.is(a, '=', b)})` : this.is(b, comparison === '<' ? '<=' : '<', a),
    ]
    if (this.#facts.has(`(assert ${holds})`)) return true
    if (this.#facts.has(`(assert ${fails})`)) return false
    const choice = (this.#choices[this.#at++] ??= true)
    this.fact(choice ? holds : fails)
    if (comparison !== '=') this.#atLeast(choice ? b : a, choice ? a : b)
    return choice
  }

  #compute(operator: string, left: Value, right: Value, text: string): Value {
    if (operator === '/') return this.#divide(left, right, text)
    if (operator === '%') return this.#rest(left, right, text)
    if (operator !== '+' && operator !== '-' && operator !== '*') throw new Error(`What is ${text}?`)
    const [a, b] = [this.#settled(left), this.#settled(right)]
    const exact = this.exact(a, operator, b)
    if (!exact.isWhole) return this.#rounded(exact)
    if (this.#mayLeave.has(text)) return this.#left(exact, text)
    this.claim(text, this.#isExact(exact))
    return exact
  }

  #isExact(any: Value): string {
    return `(and ${this.is(-EXACT, '<=', any)} ${this.is(any, '<=', EXACT)})`
  }

  /** A whole number, rounded where doubles have gaps. There it is at least as large as the first of them. */
  #left(exact: Any, text: string): Any {
    this.met.add(text)
    return this.#once(`double ${keyOf(exact)}`, () => {
      const any = this.#fresh('Int', 'double')
      const beyond = `(ite ${this.is(exact, '>', 0)} ${this.is(any, '>=', EXACT)} ${this.is(any, '<=', -EXACT)})`
      this.fact(`(ite ${this.#isExact(exact)} ${this.is(any, '=', exact)} ${beyond})`)
      return any
    })
  }

  /** A number that need not be whole. It is off by at most 1 / 2^53 of itself. */
  #rounded(exact: Any): Any {
    return this.#once(`double ${keyOf(exact)}`, () => {
      const any = this.#fresh('Real', 'double')
      this.#near(this.exact(any, '-', exact), exact)
      return any
    })
  }

  /** Says that a number is off by at most 1 / 2^53 of what it should be. */
  #near(off: Any, exact: Any): void {
    const scaled = this.exact(off, '*', EXACT)
    const [low, high] = [this.exact(0, '-', exact), exact]
    this.fact(
      `(ite ${this.is(exact, '>=', 0)} (and ${this.is(low, '<=', scaled)} ${this.is(scaled, '<=', high)}) (and ${this.is(high, '<=', scaled)} ${this.is(scaled, '<=', low)}))`,
    )
  }

  #divide(left: Value, right: Value, text: string): Value {
    const known = this.#quotients.get(keyOf(left))?.get(keyOf(right))
    if (known !== undefined) return known
    this.claim(text, this.is(1, '<=', right))
    return this.#once(`/ ${keyOf(left)} ${keyOf(right)}`, () => {
      const any = this.#fresh('Real', 'quotient')
      return new Any(any.sum, false, [left, right])
    })
  }

  #rest(left: Value, right: Value, text: string): Any {
    const [times, rest] = [this.#fresh('Int', 'times'), this.#fresh('Int', 'rest')]
    this.claim(text, `(and ${this.is(0, '<=', left)} ${this.is(1, '<=', right)})`)
    this.fact(this.is(left, '=', this.exact(this.exact(times, '*', right), '+', rest)))
    this.fact(`(and ${this.is(0, '<=', times)} ${this.is(0, '<=', rest)} ${this.is(rest, '<', right)})`)
    return rest
  }

  /** A number as it is used otherwise than by rounding it to a whole one. */
  #settled(value: Value): Value {
    if (!(value instanceof Any) || value.of === undefined) return value
    const [a, b] = value.of
    const back = this.exact(new Any(value.sum, false), '*', b)
    this.#near(this.exact(back, '-', a), this.exact(a, '+', 0))
    return new Any(value.sum, false)
  }

  /** A quotient of whole numbers below 2^53 rounds up and down as the exact one does, which is a lemma of its own. */
  #round(value: Value, to: 'floor' | 'ceil'): Value {
    if (!(value instanceof Any)) return Math[to](value)
    if (value.isWhole) return value
    const [whole, by] = value.of ?? [value, 1]
    // Of a half, both are doubled: the quotient is the same.
    const isHalf = !(whole instanceof Any) && !Number.isInteger(whole)
    const [a, b] = isHalf ? [whole * 2, this.exact(by, '*', 2)] : [whole, by]
    if (value.of !== undefined)
      this.claim(
        `${to} of ${keyOf(a)} / ${keyOf(b)}`,
        [a, b].every(isWholeNumber) ? `(and ${this.is(-EXACT, '<', a)} ${this.is(a, '<', EXACT)})` : 'false',
      )
    return this.#once(`${to} ${keyOf(a)} ${keyOf(b)}`, () => {
      const any = this.#fresh('Int', to)
      const back = this.exact(any, '*', b)
      // The same sum, but as a product, of which more is known.
      const next = this.exact(this.exact(any, to === 'floor' ? '+' : '-', 1), '*', b)
      this.fact(
        to === 'floor'
          ? `(and ${this.is(back, '<=', a)} ${this.is(a, '<', next)})`
          : `(and ${this.is(back, '>=', a)} ${this.is(a, '>', next)})`,
      )
      this.#divisors.set(keyOf(any), b)
      return any
    })
  }

  #once(key: string, make: () => Any): Any {
    const found = this.#made.get(key) ?? make()
    this.#made.set(key, found)
    return found
  }

  #fresh(sort: 'Int' | 'Real', name: string): Any {
    const term = `${sort === 'Int' ? 'i' : 'r'}${++this.#count}-${name}`
    this.#facts.add(`(declare-const ${term} ${sort})`)
    return new Any(unknown(term), sort === 'Int')
  }
}

function isWholeNumber(value: unknown): boolean {
  return value instanceof Any ? value.isWhole : Number.isInteger(value)
}

function sumOf(value: Value): Sum {
  return value instanceof Any ? value.sum : constant(value)
}

function keyOf(value: Value): string {
  return textOf(sumOf(value))
}
