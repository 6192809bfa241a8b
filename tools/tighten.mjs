// Removes the spaces within lines of code, a tenth of it. Maps, stack traces and readers need the lines.
import { parseAst } from 'rolldown/parseAst'

const WORD = /[\w$#\\]/
// Together, these would be another token: `++`, `--`, a comment, `?.`, `1.`, `<!--`, `-->`.
const KEPT = /^(?:\+\+|--|\/.|.\/|\?\.|\d\.|<!|->)$/s

/** @param {string} code in ASCII */
export function tighten(code) {
  const tree = parseAst(code)
  const spaces = /\/\/.*|\/\*.*?\*\/|[ \t]+/g
  let tight = ''
  let from = 0
  const literals = literalsIn(tree).sort(([a], [b]) => a - b)
  for (const [start, end] of literals.concat([[code.length, code.length]])) {
    tight += code.slice(from, start).replace(spaces, (match, /** @type {number} */ at) => {
      if (!/^[ \t]/.test(match)) return match
      const [left, right] = [code[from + at - 1] ?? '', code[from + at + match.length] ?? '']
      return (WORD.test(left) && WORD.test(right)) || KEPT.test(left + right) ? ' ' : ''
    })
    tight += code.slice(start, end)
    from = end
  }
  if (shapeOf(parseAst(tight)) !== shapeOf(tree))
    throw new Error('Without its spaces the code has another meaning.')
  return tight
}

/** The places of texts, patterns and templates. @param {any} node @returns {[start: number, end: number][]} */
function literalsIn(node) {
  if (typeof node !== 'object' || node === null) return []
  const isLiteral =
    node.type === 'TemplateElement' || (node.type === 'Literal' && typeof node.value !== 'number')
  if (isLiteral) return [[node.start, node.end]]
  return Object.values(node).flatMap(literalsIn)
}

/** The meaning of code, without places. @param {unknown} tree */
function shapeOf(tree) {
  return JSON.stringify(tree, (key, value) => (key === 'start' || key === 'end' ? undefined : value))
}
