// The paths in ARCHITECTURE.md exist, the nouns are where it says, and what it says must be added somewhere is there.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

import { codes } from '../../src/algorithms/index.ts'
import { DIALECTS } from '../../src/http/dialects.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('ARCHITECTURE.md', () => {
  const page = read('ARCHITECTURE.md')
  const paths = [...page.matchAll(/`((?:core|control|packages|store-[a-z]+|docs|tools)\/[\w./*-]+)`/g)].map(
    ([, path]) => path as string,
  )

  it('ARCHITECTURE.md names more than twenty places of the repository', () => {
    expect(paths.length).toBeGreaterThan(20)
  })

  it.each([...new Set(paths)])('ARCHITECTURE.md names %s, which exists', path => {
    const places = [path, join('packages', path)]
    expect(places.some(place => existsSync(join(root, place)))).toBe(true)
  })

  const nouns = [...page.matchAll(/^\| `(\w+)` +\|.*\| `(core\/[\w./-]+)` +\|$/gm)].map(([, noun, file]) => [
    noun as string,
    file as string,
  ])

  it('ARCHITECTURE.md has nine nouns', () => expect(nouns).toHaveLength(9))

  it.each(nouns)('the noun %s is defined in %s, as ARCHITECTURE.md says', (noun, file) => {
    expect(read(join('packages', file))).toMatch(new RegExp(`^export (interface|class|type) ${noun}\\b`, 'm'))
  })

  // Kernel folders are those that lint lets import no wing.
  const { overrides } = JSON.parse(read('.oxlintrc.json')) as {
    overrides: { files: string[]; rules: unknown }[]
  }
  const folders = (isKernel: boolean): string[] =>
    overrides
      .filter(({ rules }) => JSON.stringify(rules).includes('The kernel imports no wing.') === isKernel)
      .flatMap(({ files: [file = ''] }) => /^packages\/core\/src\/([a-z-]+)\/\*\*$/.exec(file)?.[1] ?? [])

  it('ARCHITECTURE.md lists the folders of the kernel in the order that lint holds them to', () => {
    const list = /```\nbase\/[\s\S]*?```/.exec(page)?.[0] ?? ''
    const told = [...list.matchAll(/^([a-z]+)\//gm)].map(([, name]) => name)
    expect(told).toEqual(folders(true))
  })

  it.each(folders(false))('ARCHITECTURE.md says what %s/ holds', folder => {
    expect(page).toContain(`\`${folder}/\``)
  })
})

// A budget that only falls. A line that raises it says for what. Raised for pauses without an end, `pace`, transactions that checks
// share, lanes, who used a shared limit, and what callers of a lost line owe.
const MOST = { files: 110, lines: 14_616, all: 29_646 }

describe('the size of core', () => {
  const sources = (folder: string): string[] =>
    readdirSync(join(root, 'packages/core/src', folder), { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.ts'))
      .map(file => read(join('packages/core/src', folder, file)))
  const linesOf = (texts: readonly string[]): number =>
    texts.reduce((sum, text) => sum + text.split('\n').length - 1, 0)
  const page = read('ARCHITECTURE.md')
  const kernel = [...(/```\nbase\/[\s\S]*?```/.exec(page)?.[0] ?? '').matchAll(/^([a-z]+)\//gm)].flatMap(
    ([, name = '']) => sources(name),
  )

  it('the kernel has few files, and few lines', () => {
    expect(kernel.length).toBeLessThanOrEqual(MOST.files)
    expect(linesOf(kernel)).toBeLessThanOrEqual(MOST.lines)
  })

  it('core has few lines', () => expect(linesOf(sources('.'))).toBeLessThanOrEqual(MOST.all))
})

// As users call it.
const TITLES: Readonly<Record<string, string>> = { concurrency: 'in flight' }

describe('every algorithm', () => {
  it.each(Object.keys(codes))('the algorithm %s has its test', name => {
    expect(existsSync(join(root, 'packages/core/test/algorithms', `${name}.test.ts`))).toBe(true)
  })

  it.each(Object.keys(codes).filter(name => name !== 'quota'))(
    'the algorithm %s has its section in docs/algorithms.md',
    name => {
      expect(read('docs/algorithms.md')).toMatch(
        new RegExp(`^#+ .*${TITLES[name] ?? name.replace('-', '[- ]')}`, 'im'),
      )
    },
  )
})

describe('every header dialect', () => {
  it.each(Object.keys(DIALECTS))('docs/headers.md tells the header dialect %s', name => {
    expect(read('docs/headers.md')).toMatch(new RegExp(`['"\`]${name}['"\`]`))
  })
})

describe('every telemetry hook', () => {
  const hooks = [
    ...read('packages/core/src/check/telemetry.ts').matchAll(/^ {2}(?:readonly )?(on[A-Z]\w+)\?/gm),
  ].map(([, name]) => name as string)

  it('the list of telemetry hooks has onStoreRecovered', () => {
    expect(hooks).toContain('onStoreRecovered')
  })

  it.each(hooks)('docs/telemetry.md tells the hook %s', name => {
    expect(read('docs/telemetry.md')).toContain(`\`${name}`)
  })
})
