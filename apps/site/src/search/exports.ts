/** An export of a package: its name, its module, and its anchor on the module's page of the API reference. */
export type Export = readonly [name: string, module: string, anchor: string]

/** Exports that a search shows. */
const MOST = 5

/** The exports whose name a question is or begins, the shortest first. None for a question of several words. */
export function exportsNamed(all: readonly Export[], question: string): readonly Export[] {
  const asked = question.trim().toLowerCase().replace(/\(\)$/, '')
  if (asked.length < 3 || /\s/.test(asked)) return []
  return all
    .filter(([name]) => name.toLowerCase().startsWith(asked))
    .toSorted(([a], [b]) => a.length - b.length)
    .slice(0, MOST)
}
