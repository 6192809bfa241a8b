// Loads sources so that they can be run on numbers that stand for any number. Every operator becomes a call, and nothing else changes: so
// what is proved is proved about the source itself.
import { createRequire } from 'node:module'

import { buildSync } from 'esbuild'
import { parseAst } from 'rolldown/parseAst'

import type { Operators } from './operators.ts'

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

/** The text of a bundle of some modules, without types. */
export function bundleOf(modules: readonly string[], folder: string): string {
  const contents = modules.map(path => `export * from '${path}'`).join('\n')
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: folder, loader: 'ts' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'es2022',
    conditions: ['halt-source'],
    write: false,
  })
  return outputFiles[0]!.text
}

/** The text with a call in place of each operator. */
export function rewritten(text: string): string {
  const program = parseAst(text) as unknown as Node
  const print = (node: Node): string => {
    let [done, at] = ['', node.start]
    for (const child of childrenOf(node)) {
      done += text.slice(at, child.start) + write(child)
      at = child.end
    }
    return done + text.slice(at, node.end)
  }
  const call = (operator: string, left: Node, right: Node, node: Node): string =>
    `$.binary(${[operator, text.slice(node.start, node.end)].map(part => JSON.stringify(part)).join(`, ${write(left)}, ${write(right)}, `)})`
  const write = (node: Node): string => {
    const { type, operator, left, right } = node as Node & { operator: string; left: Node; right: Node }
    if (type === 'BinaryExpression' && operator !== 'in' && operator !== 'instanceof')
      return call(operator, left, right, node)
    if (type === 'AssignmentExpression' && /^[-+*/%]=$/.test(operator))
      return `${print(left)} = ${call(operator[0]!, left, right, node)}`
    if (type === 'UnaryExpression' && (operator === '-' || operator === '+' || operator === 'typeof')) {
      const argument = node['argument'] as Node
      // The type of a name that is not declared may be asked.
      if (operator === 'typeof' && argument.type === 'Identifier') {
        const name = argument['name'] as string
        return `(typeof ${name} === 'undefined' ? 'undefined' : $.unary('typeof', ${name}))`
      }
      return `$.unary('${operator}', ${write(argument)})`
    }
    return print(node)
  }
  return write(program)
}

/** Runs a rewritten bundle. Returns its names, also those that it does not export. */
export function run(text: string, operators: Operators, names: readonly string[]): Record<string, unknown> {
  const body = `const module = { exports: {} }; const exports = module.exports; ${text}\nreturn { ${names.join(', ')} }`
  // eslint-disable-next-line no-implied-eval -- the text is that of the sources
  const evaluate = new Function('$', 'Math', 'Number', 'require', body) as (
    ...values: unknown[]
  ) => Record<string, unknown>
  return evaluate(operators, operators.Math, operators.Number, createRequire(import.meta.url))
}

function childrenOf(node: Node): Node[] {
  const found = new Map<number, Node>()
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value])
      if (typeof (child as Node | null)?.type === 'string') found.set((child as Node).start, child as Node)
  return [...found.values()].sort((a, b) => a.start - b.start)
}
