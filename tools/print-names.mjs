// Prints the public names of each package into tools/names, one file a package, so that a change of them is seen in review. It reads the
// built declarations, so build first. With --check it only compares.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from './pnpm.mjs'

const isCheck = process.argv.includes('--check')
const stale = []
const pages = new Set()
mkdirSync(join(root, 'tools/names'), { recursive: true })
for (const short of readdirSync(join(root, 'packages')).sort()) {
  const folder = join(root, 'packages', short)
  if (!existsSync(join(folder, 'package.json'))) continue
  const {
    name,
    exports = {},
    private: isPrivate,
  } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (isPrivate) continue
  const parts = Object.entries(exports).flatMap(([entry, conditions]) => {
    const file = typesOf(conditions)
    return file === undefined
      ? []
      : [[`${name}${entry.slice(1)}`, ...namesIn(join(folder, file)).map(each => `  ${each}`)].join('\n')]
  })
  const text = `${parts.join('\n\n')}\n`
  const page = join(root, 'tools/names', `${short}.txt`)
  pages.add(`${short}.txt`)
  if (isCheck && (!existsSync(page) || readFileSync(page, 'utf8') !== text)) stale.push(short)
  if (!isCheck) writeFileSync(page, text)
}
for (const page of readdirSync(join(root, 'tools/names')).filter(file => !pages.has(file)))
  if (isCheck) stale.push(page.replace('.txt', ', which is gone'))
  else rmSync(join(root, 'tools/names', page))
if (stale.length > 0)
  throw new Error(`The public names of ${stale.join(', ')} have changed. Run: node tools/print-names.mjs`)

/** The declarations that an entry gives to `require`. @param {any} conditions @returns {string | undefined} */
function typesOf(conditions) {
  const found = conditions?.require?.types ?? conditions?.types ?? conditions?.import?.types
  return typeof found === 'string' ? found : undefined
}

/** The names that a built file of declarations exports. A type says so. @param {string} file */
function namesIn(file) {
  const lists = readFileSync(file, 'utf8').matchAll(/^export (type )?\{([^}]*)\}/gm)
  const names = [...lists].flatMap(([, isType = '', list = '']) =>
    list.split(',').flatMap(each => {
      const own = each.trim().replace(/^.* as /, each.trim().startsWith('type ') ? 'type ' : '')
      return own === '' ? [] : [own.startsWith('type ') ? own : `${isType}${own}`]
    }),
  )
  return [...new Set(names)].sort()
}
