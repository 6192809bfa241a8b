// The small changes that a source can have: one operator, number, condition or statement is another.
import { parseAst } from 'rolldown/parseAst'

/** One change of a source.
 * @typedef {object} Mutant
 * @property {string} file
 * @property {number} line
 * @property {string} kind
 * @property {number} from where the changed text begins
 * @property {number} to where it ends
 * @property {string} by what stands there instead
 * @property {string} before the line, in short
 * @property {string} after
 */

/** A node of the syntax tree, as far as it is read here.
 * @typedef {{ type: string, start: number, end: number, [name: string]: any }} Node
 */

/** @type {Readonly<Record<string, string>>} */
const OPERATORS = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '&&': '||',
  '||': '&&',
  '+=': '-=',
  '-=': '+=',
}
/** @type {Readonly<Record<string, string>>} */
const FUNCTIONS = { min: 'max', max: 'min', ceil: 'floor', floor: 'ceil' }
/** What is said to people, and what the compiler reads alone. */
const PASSED_OVER = [
  'ThrowStatement',
  'ImportDeclaration',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
]
const WRAPPERS = ['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression']

/** All mutants of a source. @param {string} file @param {string} text @returns {Mutant[]} */
export function mutantsOf(file, text) {
  /** @type {Mutant[]} */
  const found = []
  /** @param {string} kind @param {number} from @param {number} to @param {string} by */
  const add = (kind, from, to, by) => {
    const begin = text.lastIndexOf('\n', from - 1) + 1
    const end = text.indexOf('\n', to)
    const [head, tail] = [text.slice(begin, from), text.slice(to, end < 0 ? text.length : end)]
    found.push({
      file,
      line: text.slice(0, from).split('\n').length,
      kind,
      from,
      to,
      by,
      before: short(head + text.slice(from, to) + tail),
      after: short(head + by + tail),
    })
  }
  visit(/** @type {any} */ (parseAst(text, { lang: 'ts' }, file)), text, add)
  return found
}

/** @param {string} line */
function short(line) {
  return line.replace(/\s+/g, ' ').trim().slice(0, 110)
}

/** @param {Node} node @param {string} text @param {(kind: string, from: number, to: number, by: string) => void} add */
function visit(node, text, add) {
  const isType = node.type.startsWith('TS') && !WRAPPERS.includes(node.type)
  if (isType || PASSED_OVER.includes(node.type)) return
  const { type, operator, left, right } = node
  const code = (/** @type {Node} */ { start, end }) => text.slice(start, end)
  if (left !== undefined && right !== undefined && operator in OPERATORS && !isText(left) && !isText(right)) {
    const at = text.indexOf(operator, left.end)
    add('operator', at, at + operator.length, OPERATORS[operator] ?? '')
  }
  if (type === 'Literal' && typeof node['value'] === 'number')
    add('number', node.start, node.end, `(${code(node)} + 1)`)
  if (['IfStatement', 'ConditionalExpression', 'WhileStatement'].includes(type)) {
    const { test } = node
    add('condition', test.start, test.end, `!(${code(test)})`)
  }
  if (type === 'ExpressionStatement' && node['expression'].callee?.type !== 'Super')
    add('statement', node.start, node.end, ';')
  if (type === 'AwaitExpression') add('await', node.start, node.end, code(node['argument']))
  const { callee } = node
  if (callee?.object?.name === 'Math' && callee.property.name in FUNCTIONS)
    add('function', callee.property.start, callee.property.end, FUNCTIONS[callee.property.name] ?? '')
  for (const child of Object.values(node).flat()) if (typeof child?.type === 'string') visit(child, text, add)
}

/** Whether an operand is text, which has no other operator. @param {Node} node */
function isText({ type, value }) {
  return type === 'TemplateLiteral' || (type === 'Literal' && typeof value === 'string')
}
