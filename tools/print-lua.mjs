// Writes packages/store-redis/src/scripts.ts from the Lua files beside it: names translated to positions, comments removed,
// each script with its SHA-1. With --check it only compares.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { translate } from './lua-names.mjs'

const folder = new URL('../packages/store-redis/src/', import.meta.url)
const names = ['decide', 'document', 'forget', 'heartbeat', 'probe']

const parts = names.map(name => {
  const source = translate(read(`${name}.lua`), read)
  const sha = createHash('sha1').update(source).digest('hex')
  return `/** ${name}.lua, compact. */\nexport const ${name}: Script = {\n  sha: '${sha}',\n  source: ${quote(source)},\n}\n`
})

/** @param {string} name */
function read(name) {
  return readFileSync(new URL(`lua/${name}`, folder), 'utf8')
}

/** @param {string} source */
function quote(source) {
  const text = JSON.stringify(source).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${text}'`
}

const head = `// Printed by tools/print-lua.mjs from the Lua files in lua/: change those.\nimport type { Script } from './connection/index.ts'\n\n`
const file = fileURLToPath(new URL('scripts.ts', folder))
const text = head + parts.join('\n')
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error(
      'packages/store-redis/src/scripts.ts differs from the Lua files. Run node tools/print-lua.mjs',
    )
    process.exit(1)
  }
} else writeFileSync(file, text)
