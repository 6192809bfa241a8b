// Checks the types of every TypeScript example of the documentation, all in one program.
//
// Each example is a module. It finds packages where the workspace has installed them, whichever member that is. An example that begins
// with the name of its file, as `// limits.ts`, is found under that name by the other examples of its page.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { declarationsFor } from './example-names.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const work = join(root, 'node_modules/.examples')

/** Pages that are left out, because they need the types of a platform. They are built and run for it. */
const LEFT_OUT = [
  /^docs\/platforms\/(?:bun|deno|nextjs|nitro)\.md$/,
  /^docs\/workers\.md$/,
  /^packages\/store-durable-objects\//,
]

/** @param {string} folder @returns {string[]} the Markdown files below a folder, as paths in the repository */
function pagesIn(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => join(folder, name).replaceAll('\\', '/'))
}

const members = ['packages', 'apps'].flatMap(folder =>
  readdirSync(join(root, folder)).map(name => `${folder}/${name}`),
)
const pages = [
  'README.md',
  'RELIABILITY.md',
  ...pagesIn('docs'),
  ...members.map(member => `${member}/README.md`).filter(page => existsSync(join(root, page))),
].filter(page => !LEFT_OUT.some(pattern => pattern.test(page)))

/** Examples in JavaScript, by how they begin. All others are in TypeScript. Prisma's client would have to be generated first. */
const IN_JAVASCRIPT = ["import { PrismaPg } from '@prisma/adapter-pg'"]

/** @param {string} page @returns {string[]} the lines of a page at which an example is in JavaScript without need */
function strayIn(page) {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^ *```(?:js|mjs|javascript)\b.*\n(.*)/gm)]
    .filter(([, first = '']) => !IN_JAVASCRIPT.includes(first))
    .map(
      ({ index }) => `${page}(${text.slice(0, index).split('\n').length}): the example is not in TypeScript`,
    )
}

/** A page of an error shows first what is wrong. What follows under this heading is right, and is a part of a file. */
const FIX = '## The fix'

/** The examples of a page, with the line on which each begins. @param {string} page */
function examplesIn(page) {
  const whole = readFileSync(join(root, page), 'utf8')
  const from = page.startsWith('docs/errors/') ? whole.indexOf(FIX) : 0
  const text = whole.slice(0, from).replaceAll(/[^\n]/g, '') + whole.slice(from)
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(found => ({
    code: found[1] ?? '',
    line: text.slice(0, found.index).split('\n').length + 1,
  }))
}

/** Links every package that any member has installed into one folder. */
function linkPackages() {
  for (const member of ['.', ...members]) {
    const modules = join(root, member, 'node_modules')
    if (!existsSync(modules)) continue
    for (const name of readdirSync(modules)) {
      if (name.startsWith('.')) continue
      const names = name.startsWith('@')
        ? readdirSync(join(modules, name)).map(inner => `${name}/${inner}`)
        : [name]
      for (const each of names) {
        const link = join(work, 'node_modules', each)
        if (existsSync(link)) continue
        mkdirSync(dirname(link), { recursive: true })
        symlinkSync(realpathSync(join(modules, each)), link, 'junction')
      }
    }
  }
  for (const short of readdirSync(join(root, 'packages'))) {
    const { name } = JSON.parse(readFileSync(join(root, 'packages', short, 'package.json'), 'utf8'))
    const link = join(work, 'node_modules', name)
    if (!existsSync(link)) symlinkSync(join(root, 'packages', short), link, 'junction')
  }
}

rmSync(work, { recursive: true, force: true })
mkdirSync(work, { recursive: true })
linkPackages()
// The files of the recipes import each other.
for (const name of readdirSync(join(root, 'apps/recipes/src')))
  cpSync(join(root, 'apps/recipes/src', name), join(work, name))
/** @type {Map<string, { page: string, line: number }>} */
const places = new Map()
for (const page of pages) {
  const examples = examplesIn(page)
  const flat = page.replaceAll(/\W+/g, '-')
  const names = examples.map(({ code }) => /^\/\/ ([\w-]+\.ts)\n/.exec(code)?.[1])
  const isSet = examples.some(({ code }) => names.some(name => name && code.includes(`from './${name}'`)))
  if (isSet) mkdirSync(join(work, flat))
  for (const [index, { code, line }] of examples.entries()) {
    const file = isSet ? `${flat}/${names[index] ?? `${index + 1}.ts`}` : `${flat}-${index + 1}.mts`
    places.set(file, { page, line })
    const rest = page.startsWith('docs/errors/') ? declarationsFor(code) : ''
    writeFileSync(join(work, file), `${code}\n${rest}\nexport {}\n`)
  }
}
writeFileSync(join(work, 'package.json'), '{ "type": "module" }')
writeFileSync(
  join(work, 'tsconfig.json'),
  JSON.stringify({
    compilerOptions: {
      target: 'ES2023',
      lib: ['ES2023', 'ES2024.String'],
      module: 'NodeNext',
      types: ['node'],
      customConditions: ['halt-source'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      experimentalDecorators: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
    },
    files: [...places.keys()],
  }),
)
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const { stdout, stderr } = spawnSync(
  process.execPath,
  [tsc, '-p', work, '--pretty', 'false', '--checkers', '1'],
  {
    cwd: work,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  },
)
rmSync(work, { recursive: true, force: true })

/** The errors in examples, each with its place in the page. `pnpm types` checks the sources, with the libraries that they need. */
const errors = stdout.split(/\n(?=\S)/).flatMap(text => {
  const [, file = '', line, rest] = /^(\S+)\((\d+),([^]*)$/.exec(text) ?? []
  const place = places.get(file)
  return place === undefined ? [] : [`${place.page}(${place.line + Number(line) - 1},${rest}`]
})
errors.push(...pages.flatMap(strayIn))
if (errors.length > 0 || stderr !== '') console.error([...errors, stderr].join('\n'))
console.log(`${places.size} examples of ${pages.length} pages: ${errors.length} errors`)
process.exitCode = errors.length > 0 || stderr !== '' ? 1 : 0
