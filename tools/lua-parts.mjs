// Puts the parts of a Lua script together. A part has a head, as a function has, but costs no call: it is printed where it is used.
//
//   --@ include "turn.lua"      puts that part here
//   --@ takes item rule         in a part: the variables of the includer that it reads
//   --@ gives fits              in a part: the variables of the includer that it sets
//   --@ need "line.lua"         makes the functions of that file here, unless the call has made them already
//   --@ functions               declares the functions of all needed files
//   --@ everywhere now pack     in the script: the variables that every part and every function may read
//
// A part, or a file of functions, that uses any other variable is refused. So its head tells all that it has to do with its includer.

/** The words of Lua, and the libraries that Redis offers. */
const KNOWN = new Set(
  `and break do else elseif end false for function if in local nil not or repeat return then true until while
  ARGV KEYS cjson ipairs math redis string struct table tonumber type unpack`.split(/\s+/),
)

/**
 * A part of a script as it was found: its lines without those of the parts inside it, and the variables that it shares.
 * @typedef {{ name: string, lines: string[], takes: Set<string>, gives: Set<string>, nested: Part[] }} Part
 */

/**
 * @param {string} source
 * @param {(name: string) => string} read the source of another file
 * @returns {{ lines: string[], check: (translate: (code: string) => string) => void }} the script's lines, and a check of all heads
 */
export function assemble(source, read) {
  /** @type {Part[]} */
  const parts = []
  /** @type {Set<string>} */
  const functions = new Set()
  const whole = { name: 'the script', lines: [], takes: new Set(), gives: new Set(), nested: [] }
  const lines = expand(source, whole)
  const everywhere = new Set(whole.lines.flatMap(line => words(line, 'everywhere')))
  return {
    lines: lines.flatMap(line => {
      if (/^--@ (?:takes|gives|everywhere) /.test(line)) return []
      return line === '--@ functions' && functions.size > 0 ? [`local ${[...functions].join(', ')}`] : [line]
    }),
    check: translate => {
      for (const part of parts) {
        const code = part.lines.filter(line => !line.startsWith('--')).join('\n')
        checkPart(part, translate(code), everywhere, functions)
      }
    },
  }

  /** @param {string} text @param {Part} part @returns {string[]} */
  function expand(text, part) {
    return text.split('\n').flatMap(raw => {
      const line = raw.trim()
      const [, how, name = ''] = /^--@ (include|need) "(.+)"$/.exec(line) ?? []
      if (how === undefined) {
        part.lines.push(line)
        for (const word of words(line, 'takes')) part.takes.add(word)
        for (const word of words(line, 'gives')) part.gives.add(word)
        return [line]
      }
      /** @type {Part} */
      const inner = { name, lines: [], takes: new Set(), gives: new Set(), nested: [] }
      const found = expand(read(name), inner)
      parts.push(inner)
      if (how === 'include') {
        part.nested.push(inner)
        return ['do', ...found, 'end']
      }
      const made = found.flatMap(each => /^(\w+) = function\(/.exec(each)?.[1] ?? [])
      if (made[0] === undefined) throw new Error(`${name} makes no function.`)
      for (const each of made) functions.add(each)
      return [`if not ${made[0]} then`, ...found, 'end']
    })
  }
}

/** @param {string} line @param {string} kind @returns {string[]} the names of a line such as `--@ takes item rule` */
function words(line, kind) {
  return new RegExp(`^--@ ${kind} (.+)$`).exec(line)?.[1]?.split(/\s+/) ?? []
}

/** @param {Part} part @param {string} translated @param {Set<string>} everywhere @param {Set<string>} functions */
function checkPart({ name, takes, gives, nested }, translated, everywhere, functions) {
  const code = translated.replaceAll(/'[^'\n]*'/g, "''")
  const own = new Set(
    [
      ...code.matchAll(
        /\b(?:local(?: function)?|for) ([\w, ]+?)(?= =| in|\(|$)|\bfunction\b[ \w]*\(([^)]*)\)/gm,
      ),
    ].flatMap(([, names, args]) => (names ?? args ?? '').split(/\s*,\s*/)),
  )
  const set = new Set(
    [...code.matchAll(/(?<![\w.\])])((?:[\w[\].]+, )*[\w[\].]+) =(?!=)/g)].flatMap(([, names = '']) =>
      names.split(', ').filter(each => /^\w+$/.test(each)),
    ),
  )
  const used = new Set([...code.matchAll(/(?<![\w.])[A-Za-z_]\w*/g)].map(([word]) => word))
  for (const inner of nested) {
    for (const each of [...inner.takes, ...inner.gives]) used.add(each)
    for (const each of inner.gives) set.add(each)
  }
  for (const each of used)
    if (![KNOWN, own, takes, gives, everywhere, functions].some(names => names.has(each)))
      throw new Error(`${name} uses ${each}, which its head does not take.`)
  for (const each of set)
    if (![own, gives, functions].some(names => names.has(each)))
      throw new Error(`${name} sets ${each}, which its head does not give.`)
  for (const each of [...takes, ...gives])
    if (!used.has(each) || (gives.has(each) && own.has(each)))
      throw new Error(`${name} has no use for ${each}, which its head names.`)
}
