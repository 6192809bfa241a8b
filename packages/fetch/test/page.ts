import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const docs = new URL('../../../docs/', import.meta.url)

/** The examples of a page in `docs`, by the path in their first line. */
export async function examplesOfPage(page: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(new URL(page, docs), 'utf8')
  const found = text.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)
  // A store on a busy machine may not answer within the time of the page.
  return new Map([...found].map(([, path = '', code = '']) => [path, code.replace("'500ms'", "'30s'")]))
}

/** Writes an example of a page, with the sources of Halt, into a folder below the tests. Returns its path. */
export async function writeExample(folder: string, page: string, name: string): Promise<string> {
  const code = (await examplesOfPage(page)).get(name)
  if (code === undefined) throw new Error(`docs/${page} has no example for ${name}.`)
  const file = join(folder, name.replaceAll('/', '-'))
  await writeFile(file, withSources(code))
  return file
}

/** Writes all examples of a page, with the sources of Halt, at their paths in a new folder below the tests. Returns the folder. */
export async function writeModules(page: string): Promise<string> {
  const folder = await mkdtemp(fileURLToPath(new URL('behaviour/.modules-', import.meta.url)))
  for (const [path, code] of await examplesOfPage(page)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), withSources(code))
  }
  return folder
}

const sourceOf = (name: string): string =>
  JSON.stringify(fileURLToPath(new URL(`../../${name}/src/index.ts`, import.meta.url)))

function withSources(code: string): string {
  return code.replaceAll(/'@halt\/(fetch|store-redis)'/g, (_, name: string) => sourceOf(name))
}
