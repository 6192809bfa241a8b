import { readFile } from 'node:fs/promises'

const docs = new URL('../../../docs/', import.meta.url)

/** The examples of a page in `docs`, by the path in their first line. */
export async function examplesOfPage(page: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(new URL(page, docs), 'utf8')
  const found = text.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)
  return new Map([...found].map(([, path = '', code = '']) => [path, code]))
}
