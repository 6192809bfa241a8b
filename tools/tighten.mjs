// Removes the spaces within lines of code. Maps, stack traces and readers need the lines.
// It makes core's package 136 kB smaller (915 kB instead of 1051), and changes nothing about the time of its import.
import { parseAst } from 'rolldown/parseAst'

const WORD = /[\w$#\\]/
// Together, these would be another token: `++`, `--`, a comment, `?.`, `1.`, `<!--`, `-->`.
const KEPT = /^(?:\+\+|--|\/.|.\/|\?\.|\d\.|<!|->)$/s

/** @param {string} code in ASCII */
export function tighten(code) {
  const tree = parseAst(code)
  const spaces = /\/\/.*|[ \t]*\/\*.*?\*\/[ \t]*|[ \t]+/g
  let tight = ''
  let from = 0
  const literals = literalsIn(tree).sort(([a], [b]) => a - b)
  for (const [start, end] of literals.concat([[code.length, code.length]])) {
    tight += code.slice(from, start).replace(spaces, (match, /** @type {number} */ at) => {
      if (match.startsWith('//')) return match
      if (match.includes('/*')) return match.replaceAll(/[ \t]/g, '')
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

/**
 * Joins each line of closing brackets with the line before it.
 *
 * @template T
 * @param {string} code
 * @param {T[]} places one for each line
 * @returns {{ code: string, places: T[] }} the code, and the places of the lines that it has then
 */
export function joinClosings(code, places) {
  const tree = parseAst(code)
  const texts = literalsIn(tree).filter(([start, end]) => code.slice(start, end).includes('\n'))
  const lines = code.split('\n')
  let at = 0
  const begins = lines.map((line, i) => {
    const start = at
    at += line.length + 1
    return i === 0 || !/^[)}\];,]+$/.test(line) || texts.some(([from, to]) => from < start && start < to)
  })
  const joined = lines.reduce((text, line, i) => `${text}${begins[i] ? '\n' : ''}${line}`)
  if (shapeOf(parseAst(joined)) !== shapeOf(tree))
    throw new Error('With closing brackets on the line before them the code has another meaning.')
  return { code: joined, places: places.filter((_, i) => begins[i] ?? true) }
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
  return JSON.stringify(tree, (key, value) =>
    key === 'start' || key === 'end' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
  )
}
