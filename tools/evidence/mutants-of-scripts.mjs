// The small changes that a script of a store can have, in Lua or SQL: one operator, number, word or function is another.
import { mutantsOf } from './mutants-of.mjs'

/** @typedef {import('./mutants-of.mjs').Mutant} Mutant */

/** @type {Readonly<Record<string, string>>} */
const OTHERS = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '==': '~=',
  '~=': '==',
  '<>': '=',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  and: 'or',
  or: 'and',
  true: 'false',
  false: 'true',
  min: 'max',
  max: 'min',
  least: 'greatest',
  greatest: 'least',
  ceil: 'floor',
  floor: 'ceil',
}
// A comment, a text, a name, a parameter and the range of BETWEEN are passed over. In SQL `=` also assigns, so it stays.
const TOKENS =
  /--.*|'[^']*'|"[^"]*"|\$\w*\$?|::\w+|\bBETWEEN .*? AND\b|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|\d+(?:\.\d+)?(?:e\d+)?|<=|>=|==|~=|<>|:=|\.\.|[-+*/<>]/g

/** All mutants of a source, by its language. @param {string} file @param {string} text @returns {Mutant[]} */
export function mutantsIn(file, text) {
  if (file.endsWith('.ts')) return mutantsOf(file, text)
  return [...text.matchAll(TOKENS)].flatMap(({ 0: token, index }) => {
    const by = /^\d/.test(token) ? `(${token} + 1)` : OTHERS[token.replace('math.', '').toLowerCase()]
    if (by === undefined) return []
    const from = index + (token.startsWith('math.') ? 5 : 0)
    const to = index + token.length
    const begin = text.lastIndexOf('\n', from) + 1
    const line = text.slice(begin, text.indexOf('\n', to))
    const after = line.slice(0, from - begin) + by + line.slice(to - begin)
    const kind = /^\d/.test(token) ? 'number' : /^\W/.test(token) ? 'operator' : 'word'
    const [number, before] = [text.slice(0, from).split('\n').length, line.trim()]
    return [{ file, line: number, kind, from, to, by, before, after: after.trim() }]
  })
}
