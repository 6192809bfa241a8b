import { spawnSync } from 'node:child_process'

import { ROOT } from './repository.ts'
import { ROUTES } from './routes.ts'

/** The file of the repository that a page of the site shows, and when it was changed. */
export interface Origin {
  readonly path: string
  /** Unix milliseconds. Undefined where git does not know the file. */
  readonly changedAt: number | undefined
}

/** The origins of the pages, by the path under which VitePress reads them. Pages that are made of others have none. */
export function origins(): ReadonlyMap<string, Origin> {
  const changes = lastChanges()
  const pages = [...ROUTES, ['apps/site/home.md', 'index'] as const]
  return new Map(pages.map(([path, route]) => [`${route}.md`, { path, changedAt: changes.get(path) }]))
}

/** When git last saw a change of each Markdown file. One call for all of them. */
function lastChanges(): ReadonlyMap<string, number> {
  const args = ['log', '--format=@%ct', '--name-only', '--', '*.md']
  const { stdout } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 })
  const found = new Map<string, number>()
  let seconds = 0
  for (const line of (stdout ?? '').split('\n')) {
    if (line.startsWith('@')) seconds = Number(line.slice(1))
    else if (line !== '' && !found.has(line)) found.set(line, seconds * 1000)
  }
  return found
}
