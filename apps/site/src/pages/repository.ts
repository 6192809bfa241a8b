import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository, without a slash at the end. */
export const ROOT: string = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/[/\\]$/, '')

/** The address of the repository's files. */
export const GITHUB = 'https://github.com/halt-limits/halt'

/** The address of the published site. */
export const SITE = 'https://halt-limits.github.io/halt'

/** Reads a file of the repository. */
export function readSource(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

export function isSource(path: string): boolean {
  return existsSync(join(ROOT, path))
}

/** The Markdown files of a folder. */
export function pagesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter(name => name.endsWith('.md'))
    .map(name => `${folder}/${name}`)
}

/** The version of the packages, which all share one. */
export const VERSION: string = (JSON.parse(readSource('packages/core/package.json')) as { version: string })
  .version

/** The folders of the packages that users install. */
export const PACKAGES: readonly string[] = readdirSync(join(ROOT, 'packages')).filter(
  name => name !== '_template' && isSource(`packages/${name}/package.json`),
)
