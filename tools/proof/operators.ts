/** What carries out the operators of a source. */
export interface Operators {
  /** @param text the expression, as the source has it */
  binary(operator: string, left: unknown, right: unknown, text: string): unknown
  unary(operator: string, value: unknown): unknown
  readonly Math: object
  readonly Number: object
}

const results: Readonly<Record<string, (a: number, b: number) => unknown>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => a ** b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '===': (a, b) => a === b,
  '!==': (a, b) => a !== b,
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
  '>>>': (a, b) => a >>> b,
}

/** What an operator makes of two values of the language. */
export function plainResult(operator: string, left: unknown, right: unknown): unknown {
  if (operator === '==' || operator === '!=')
    return (left === right || (left ?? right ?? null) === null) === (operator === '==')
  const compute = results[operator]
  if (compute === undefined) throw new Error(`There is no operator ${operator}.`)
  return compute(left as number, right as number)
}
