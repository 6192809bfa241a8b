import { indexOf } from '../search/answers.ts'
import { exportsIn } from './api-exports.ts'
import { searchData } from './search-entries.ts'
import { EXPORTS_FILE, INDEX_FILE, textFile } from '../search/files.ts'
import type { SourcePage } from './source-pages.ts'

/** The files that a search loads, by their path from the root of the site. `api` is the folder into which typedoc writes. */
export function searchFiles(pages: readonly SourcePage[], api: string): ReadonlyMap<string, string> {
  const { entries, texts } = searchData(pages)
  return new Map([
    [INDEX_FILE, indexOf(entries)],
    [EXPORTS_FILE, JSON.stringify(exportsIn(api))],
    ...[...texts].map(([route, sections]) => [textFile(route), JSON.stringify(sections)] as const),
  ])
}
