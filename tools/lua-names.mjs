// Translates the names in our Lua sources: fields of records become positions, names of enums become numbers. So the
// sources read like the TypeScript that they mirror, and the script is as fast as one written with positions.
//
//   --@ record rule own: kind cooldown     rule.kind and own.kind are position 1, cooldown is position 2
//   --@ record state: at=2 ends=2          two names for one position, whose meaning depends on the kind
//   --@ enum MODE: CHARGE=0 PEEK=2         MODE.PEEK is 2
//
// tools/lua-parts.mjs puts included files in.
//
// `item{ key = a, cost = b }` makes a record, its fields in the order of their positions, `false` for a field left out.

import { assemble } from './lua-parts.mjs'

/**
 * @param {string} source
 * @param {(name: string) => string} read the source of an included file
 * @returns {string} Lua without comments, names or blank lines
 */
export function translate(source, read) {
  const records = new Map()
  const enums = new Map()
  const { lines: found, check } = assemble(source, read)
  const lines = found.filter(line => !declare(line, records, enums))
  check(part => access(make(part, records), records, enums))
  const code = lines.filter(line => line !== '' && !line.startsWith('--')).join('\n')
  const script = access(make(code, records), records, enums)
  const unnamed = /\]\.\w+/.exec(script)?.[0]
  if (unnamed !== undefined)
    throw new Error(`"${unnamed}" names a field of something that is not a record. Give it a local name.`)
  return script
}

/** @param {string} line @param {Map<string, Map<string, number>>} records @param {Map<string, Map<string, number>>} enums */
function declare(line, records, enums) {
  const [, kind, names = '', fields = ''] = /^--@ (record|enum) ([^:]+): (.+)$/.exec(line) ?? []
  if (kind === undefined) return false
  const places = new Map()
  for (const field of fields.trim().split(/\s+/)) {
    const [name = '', place] = field.split('=')
    places.set(name, place === undefined ? places.size + 1 : Number(place))
  }
  for (const name of names.split(/[\s,]+/)) (kind === 'record' ? records : enums).set(name, places)
  return true
}

/** Replaces constructors such as `item{ … }`, the innermost last. @param {string} code @param {Map<string, Map<string, number>>} records @returns {string} */
function make(code, records) {
  for (const [name, places] of records) {
    const start = new RegExp(`(?<![\\w.])${name}\\{`).exec(code)
    if (start === null) continue
    const from = start.index + start[0].length
    const to = closing(code, from)
    const given = new Map(
      parts(code.slice(from, to)).map(part => {
        const [field = '', value = ''] = part.split(/=(.*)/s)
        return [field.trim(), value.trim()]
      }),
    )
    for (const field of given.keys())
      if (!places.has(field)) throw new Error(`${name} has no field ${field}.`)
    const last = Math.max(...[...given.keys()].map(field => places.get(field) ?? 0))
    const byPlace = new Map([...given].map(([field, value]) => [places.get(field), value]))
    const values = Array.from({ length: last }, (_, i) => byPlace.get(i + 1) ?? 'false')
    return make(`${code.slice(0, start.index)}{ ${values.join(', ')} ${code.slice(to)}`, records)
  }
  return code
}

/** @param {string} code @param {number} from @returns {number} the position of the closing brace */
function closing(code, from) {
  let depth = 0
  for (let i = from; i < code.length; i++) {
    if ('{('.includes(code[i] ?? '')) depth++
    else if ('})'.includes(code[i] ?? '') && depth-- === 0) return i
  }
  throw new Error('A record has no closing brace.')
}

/** @param {string} text @returns {string[]} the parts between commas outside brackets */
function parts(text) {
  const found = ['']
  let depth = 0
  for (const letter of text) {
    if ('{(['.includes(letter)) depth++
    if ('})]'.includes(letter)) depth--
    if (letter === ',' && depth === 0) found.push('')
    else found[found.length - 1] += letter
  }
  return found.filter(part => part.trim() !== '')
}

/** @param {string} code @param {Map<string, Map<string, number>>} records @param {Map<string, Map<string, number>>} enums */
function access(code, records, enums) {
  return code.replaceAll(/(?<![\w.'])([A-Za-z_]\w*)\.([A-Za-z_]\w*)/g, (whole, name, field) => {
    const [places, isRecord] = records.has(name) ? [records.get(name), true] : [enums.get(name), false]
    if (places === undefined) return whole
    const place = places.get(field)
    if (place === undefined) throw new Error(`${name} has no ${field}.`)
    return isRecord ? `${name}[${place}]` : String(place)
  })
}
