// A plug-in of typedoc. Modules have the names by which users import them, not those of their folders, and the descriptions of their
// packages. What the guides name most stands first, so that a page opens with what most readers look for.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { Comment, Converter, ReflectionKind } from 'typedoc'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Later than typedoc's own sorting. */
const LAST = -1000

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of modulesOf(project)) {
      const [name = ''] = module.name.split('/')
      module.name = `@halt/${module.name.replace('/src', '')}`
      module.comment ??= new Comment([{ kind: 'text', text: descriptionOf(name) }])
    }
  })
  app.converter.on(
    Converter.EVENT_RESOLVE_END,
    ({ project }) => {
      const times = timesNamed()
      for (const { groups = [] } of [project, ...modulesOf(project)])
        for (const { children } of groups)
          children.sort((a, b) => (times.get(b.name) ?? 0) - (times.get(a.name) ?? 0))
    },
    LAST,
  )
}

/** @param {import('typedoc').ProjectReflection} project */
function modulesOf(project) {
  return /** @type {import('typedoc').DeclarationReflection[]} */ (
    project.getReflectionsByKind(ReflectionKind.Module)
  )
}

/** @param {string} name the folder of a package */
function descriptionOf(name) {
  return JSON.parse(readFileSync(`${root}/packages/${name}/package.json`, 'utf8')).description
}

/** How often the guides name each package and each export. */
function timesNamed() {
  /** @type {Map<string, number>} */
  const times = new Map()
  const guides = readdirSync(`${root}/docs`, { recursive: true }).map(path => `docs/${String(path)}`)
  const readmes = readdirSync(`${root}/packages`).map(name => `packages/${name}/README.md`)
  const files = ['README.md', ...guides.filter(path => path.endsWith('.md')), ...readmes]
  for (const file of files)
    for (const [name] of readFileSync(`${root}/${file}`, 'utf8').matchAll(/@halt\/[\w/-]+|\w+/g))
      times.set(name, (times.get(name) ?? 0) + 1)
  return times
}
