// Prints packages/store-redis/src/decide.lua as a TypeScript module, without its comments, with its SHA-1.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('../packages/store-redis/src/', import.meta.url)
const names = ['decide', 'forget', 'heartbeat', 'probe']

const parts = names.map(name => {
  const lines = readFileSync(new URL(`${name}.lua`, folder), 'utf8').split('\n')
  const source = lines
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('--'))
    .join('\n')
  const sha = createHash('sha1').update(source).digest('hex')
  return `/** ${name}.lua, compact. */\nexport const ${name}: Script = {\n  sha: '${sha}',\n  source: ${quote(source)},\n}\n`
})

/** @param {string} source */
function quote(source) {
  const text = JSON.stringify(source).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${text}'`
}

const head = `// Printed by tools/print-lua.mjs from the Lua files beside it: change those.\nimport type { Script } from './connection/index.ts'\n\n`
const file = fileURLToPath(new URL('scripts.ts', folder))
const text = head + parts.join('\n')
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error(
      'packages/store-redis/src/scripts.ts is not what the Lua files say: run node tools/print-lua.mjs',
    )
    process.exit(1)
  }
} else writeFileSync(file, text)
