// The places outside its folder in which a package must be named: the list in CONTRIBUTING.md, "A new package".
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly publishConfig?: { readonly access: string }
  readonly exports: Readonly<Record<string, unknown>>
}
interface LintOverride {
  readonly files: readonly string[]
  readonly rules: Readonly<Record<string, unknown>>
}

const folders = readdirSync(fileURLToPath(new URL('packages/', root))).filter(folder =>
  existsSync(new URL(`packages/${folder}/package.json`, root)),
)
const manifestOf = (folder: string): Manifest =>
  JSON.parse(read(`packages/${folder}/package.json`)) as Manifest
const published = folders.filter(folder => manifestOf(folder).private !== true)

const projects = read('vitest.config.ts')
const { overrides } = JSON.parse(read('.oxlintrc.json')) as { overrides: readonly LintOverride[] }
const bordered = overrides
  .filter(({ rules }) => 'no-restricted-imports' in rules)
  .flatMap(({ files }) => files)
const [map = ''] = /(?<=## The packages\n+```\n)[\s\S]*?(?=```)/.exec(read('ARCHITECTURE.md')) ?? []

it('`pnpm types` compiles what `pnpm typecheck` does', () => {
  const scripts = (path: string): Record<string, string> =>
    (JSON.parse(read(path)) as { scripts?: Record<string, string> }).scripts ?? {}
  const { exclude } = JSON.parse(read('tsconfig.apps.json')) as { exclude: readonly string[] }
  const pages = folders
    .filter(folder => scripts(`packages/${folder}/package.json`)['typecheck']?.includes('tsconfig.page.json'))
    .map(folder => `packages/${folder}/tsconfig.page.json`)
  const { types = '' } = scripts('package.json')
  const compiled = types.split(' && ').flatMap(command => command.match(/(?<=^tsc -p )\S+/) ?? [])
  const programs = ['tsconfig.packages.json', 'tsconfig.apps.json', 'tsconfig.json']
  expect(compiled.toSorted()).toEqual([...programs, ...exclude, ...pages].toSorted())
})

describe.each(folders)('packages/%s', folder => {
  it('a package is a project of vitest.config.ts', () => {
    expect(projects).toContain(`project('packages/${folder}'`)
  })

  it('a package has a border in .oxlintrc.json', () => {
    expect(bordered.filter(files => files.startsWith(`packages/${folder}/src/`))).not.toEqual([])
  })

  it('a package stands in the map of ARCHITECTURE.md', () => {
    expect(map.split(/[\s/]+/)).toContain(folder)
  })

  it.each(['README.md', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'src/index.ts'])(
    'a package has %s',
    file => {
      expect(existsSync(new URL(`packages/${folder}/${file}`, root))).toBe(true)
    },
  )

  it('a package shows its sources to the workspace', () => {
    expect(manifestOf(folder).exports['.']).toHaveProperty('halt-source', './src/index.ts')
  })
})

describe.each(published)('packages/%s, which is published,', folder => {
  it('a published package has the name of its folder, public access and a changelog', () => {
    expect(manifestOf(folder)).toMatchObject({ name: `@halt/${folder}`, publishConfig: { access: 'public' } })
    expect(read(`packages/${folder}/CHANGELOG.md`)).toContain(`# @halt/${folder}\n`)
  })

  it.each(['README.md', 'docs/README.md'])('%s links the README of a published package', page => {
    expect(read(page)).toContain(`packages/${folder}/README.md)`)
  })
})
