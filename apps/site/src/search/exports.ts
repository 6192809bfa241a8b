/** An export of a package: its name, its module, and its anchor on the module's page of the API reference. */
export type Export = readonly [name: string, module: string, anchor: string]

/** Exports that a search shows. */
const MOST = 5

/** Says whether a question may be the name of an export: one word of three letters or more. */
export function mayBeExport(question: string): boolean {
  return /^\S{3,}$/.test(question.trim())
}

/** The exports whose name a question is or begins, the shortest first. */
export function exportsNamed(all: readonly Export[], question: string): readonly Export[] {
  const asked = question.trim().toLowerCase().replace(/\(\)$/, '')
  return all
    .filter(([name]) => name.toLowerCase().startsWith(asked))
    .toSorted(([a], [b]) => a.length - b.length)
    .slice(0, MOST)
}
