import { readFile } from 'node:fs/promises'

const page = new URL('../../../docs/fetch.md', import.meta.url)

/** The examples of docs/fetch.md, by the path in their first line. */
export async function examplesOfPage(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(page, 'utf8')
  const found = text.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)
  return new Map([...found].map(([, path = '', code = '']) => [path, code]))
}
