// A plug-in of typedoc: modules have the names by which users import them, not those of their folders.
import { Converter, ReflectionKind } from 'typedoc'

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module))
      module.name = `@halt/${module.name.replace('/src', '')}`
  })
}
