// Regions of a source: a body, a branch or an operand that may run or not. Each can have a mark, by which a test tells that it was there.
import { parseAst } from 'rolldown/parseAst'

/** A part of a source that runs as a whole, or from its beginning to an early end.
 * @typedef {{ start: number, end: number }} Region
 */
/** @typedef {import('./mutants-of.mjs').Node} Node */

/** What stands in place of a statement or an expression. */
const BRANCHES = ['consequent', 'alternate', 'body']
/** What has a body of statements or members instead. */
const LISTS = ['Program', 'BlockStatement', 'ClassBody', 'StaticBlock', 'LabeledStatement']

/** The regions of a source, from the first to the last that begins; an outer one comes before those in it. @param {string} text @returns {Region[]} */
export function regionsOf(text) {
  return found(text).map(({ start, end }) => ({ start, end }))
}

/** The number of the smallest region that holds a place, or -1 if the place is in none and runs when its module is loaded.
 * @param {readonly Region[]} regions
 * @param {number} at
 */
export function regionAt(regions, at) {
  return regions.findLastIndex(({ start, end }) => start <= at && at < end)
}

/** The source with a mark in each region: `haltMark` is called with its number, counted from `first`. @param {string} text @param {number} first */
export function marked(text, first) {
  /** @type {{ at: number, by: string, rank: number }[]} */
  const changes = []
  for (const [index, { start, end, kind }] of found(text).entries()) {
    const mark = `globalThis.haltMark?.(${first + index})`
    if (kind === 'block') changes.push({ at: start + 1, by: `${mark};`, rank: 1 })
    else {
      const [open, close] = kind === 'statement' ? [`{${mark};`, '}'] : [`(${mark},`, ')']
      changes.push({ at: start, by: open, rank: 1 }, { at: end, by: close, rank: -start })
    }
  }
  // At one place the inner regions end first, then the outer ones; those that begin stay in their order, the outer ones first.
  changes.sort((a, b) => a.at - b.at || a.rank - b.rank)
  let [result, done] = ['', 0]
  for (const { at, by } of changes) {
    result += text.slice(done, at) + by
    done = at
  }
  return `globalThis.haltLoads?.(1);${result}${text.slice(done)}\nglobalThis.haltLoads?.(-1);\n`
}

/** @param {string} text */
function found(text) {
  /** @type {(Region & { kind: 'block' | 'statement' | 'expression' })[]} */
  const regions = []
  /** @param {Node} node */
  const visit = node => {
    for (const [name, child] of Object.entries(node))
      for (const each of [child].flat()) {
        if (typeof each?.type !== 'string') continue
        if (each.type === 'BlockStatement' || isBranch(node, name, each))
          regions.push({ start: each.start, end: each.end, kind: kindOf(each) })
        visit(each)
      }
  }
  visit(/** @type {any} */ (parseAst(text, { lang: 'ts' })))
  return regions.sort((a, b) => a.start - b.start || b.end - a.end)
}

/** @param {Node} parent @param {string} name @param {Node} child */
function isBranch({ type, operator }, name, child) {
  if (type === 'LogicalExpression') return name === 'right' && operator !== undefined
  if (type === 'SwitchCase' || type.startsWith('TS') || child.type === 'ClassBody') return false
  return BRANCHES.includes(name) && !LISTS.includes(type)
}

/** @param {Node} node */
function kindOf({ type }) {
  if (type === 'BlockStatement') return 'block'
  return type.endsWith('Statement') ? 'statement' : 'expression'
}
