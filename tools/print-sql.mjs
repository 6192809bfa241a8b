// Writes packages/store-postgres/schema.sql from the files in sql/, and src/schema-text.ts from it, without comments.
// With --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs'

const folder = new URL('../packages/store-postgres/', import.meta.url)
const names = ['tables', 'holds', 'arithmetic', 'line', 'clock', 'upkeep', 'bucket', 'group', 'decide']
const head = `-- The tables and functions of @halt/store-postgres. It can run again at any time: it drops nothing, and keeps all counters.
-- Printed by tools/print-sql.mjs from the files in sql/: change those. schema() of the package returns the same, by other names.

`

/** @param {string} name */
function read(name) {
  return readFileSync(new URL(`sql/${name}`, folder), 'utf8')
}

/** Puts included files in place of their lines, at the same depth. @param {string} source @returns {string} */
function include(source) {
  return source.replace(/^( *)--@ include "([\w.-]+)"$/gm, (_line, indent, name) =>
    include(read(name))
      .trimEnd()
      .replace(/^(?=.)/gm, indent),
  )
}

/** @param {string} source */
function compact(source) {
  return source
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('--'))
    .join('\n')
}

const sql = head + names.map(name => include(read(`${name}.sql`))).join('\n')
const text = `// Printed by tools/print-sql.mjs from the files in sql/: change those.\n\n/** schema.sql, compact. */\nexport const SCHEMA: string = String.raw\`${compact(sql)}\n\`\n`

for (const [name, content] of /** @type {const} */ ([
  ['schema.sql', sql],
  ['src/schema-text.ts', text],
])) {
  const file = new URL(name, folder)
  if (!process.argv.includes('--check')) writeFileSync(file, content)
  else if (readFileSync(file, 'utf8') !== content) {
    console.error(`packages/store-postgres/${name} differs from sql/. Run node tools/print-sql.mjs`)
    process.exitCode = 1
  }
}
