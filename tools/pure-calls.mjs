// Lets bundlers drop what an application does not use, although all of a package is one file.
import { parseAst } from 'rolldown/parseAst'

const MARK = '/* @__PURE__ */ '
const CALLS = new Set(['CallExpression', 'NewExpression'])
// A function runs later. The effect of an expression that is a statement is its purpose.
const SKIPPED = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ExpressionStatement',
])

/**
 * Marks each call that runs when a file is loaded as pure, because loading a module of ours has no effect ("sideEffects" in its
 * package.json is false). A bundler sees this of files, but not of the statements in a file.
 *
 * @param {string} code an ES module
 */
export function markPureCalls(code) {
  /** @type {Set<number>} */
  const starts = new Set()
  findCalls(parseAst(code), starts)
  let marked = ''
  let from = 0
  for (const start of [...starts].sort((a, b) => a - b)) {
    const isMarked = code.slice(0, start).endsWith(MARK)
    marked += code.slice(from, start) + (isMarked ? '' : MARK)
    from = start
  }
  return marked + code.slice(from)
}

/**
 * Finds where the calls that run at load begin.
 * @param {any} node @param {Set<number>} starts
 */
function findCalls(node, starts) {
  if (typeof node !== 'object' || node === null || SKIPPED.has(node.type)) return
  if (CALLS.has(node.type)) starts.add(node.start)
  const isInstanceField = node.type === 'PropertyDefinition' && !node.static
  for (const [name, child] of Object.entries(node)) {
    if (isInstanceField && name === 'value') continue
    if (Array.isArray(child)) for (const each of child) findCalls(each, starts)
    else findCalls(child, starts)
  }
}
