// Prints the types of all codes, packages/core/src/base/codes.ts, from the pages of docs/errors, which are the one list of them.
// `--check` only compares.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const target = new URL('packages/core/src/base/codes.ts', root)
const codes = readdirSync(new URL('docs/errors/', root))
  .map(name => name.replace('.md', ''))
  .sort()

/** The codes as a union, one per line. Without their prefix, because the declarations are a part of every installation. @param {string} prefix */
function union(prefix) {
  const members = codes.filter(code => code.startsWith(prefix)).map(code => code.slice(prefix.length))
  return ` \`${prefix}\${\n${members.map(code => `  | '${code}'`).join('\n')}}\``
}

const text = `// Printed from the pages of docs/errors by tools/print-codes.mjs. Do not edit.

/** A stable error code. Each has a page under \`docs/errors\`. */
export type HaltErrorCode =${union('HALT_E_')}

/** A stable warning code. Each has a page under \`docs/errors\`. */
export type HaltWarningCode =${union('HALT_W_')}
`

if (!process.argv.includes('--check')) writeFileSync(target, text)
else if (readFileSync(target, 'utf8') !== text) {
  console.error(
    `${fileURLToPath(target)} does not match the pages of docs/errors. Run node tools/print-codes.mjs.`,
  )
  process.exit(1)
}
