import type { StoredSection } from './excerpt.ts'
import type { Export } from './exports.ts'

/** The files of the search, from the root of the site. A search loads the first, then those of the pages that it shows. */
export const INDEX_FILE = 'search/index.json'
export const EXPORTS_FILE = 'search/exports.json'

/** The file of the sections of a page, for excerpts. */
export function textFile(address: string): string {
  return `search/text/${address}.json`
}

/** Reads the files of the search, each once. */
export class SearchFiles {
  readonly #loaded = new Map<string, Promise<string>>()
  readonly #addressOf: (path: string) => string

  /** `addressOf` gives the address of a file by its path from the root of the site. */
  constructor(addressOf: (path: string) => string) {
    this.#addressOf = addressOf
  }

  /** The index, as text. */
  index(): Promise<string> {
    return this.#load(INDEX_FILE)
  }

  async sections(address: string): Promise<readonly StoredSection[]> {
    return JSON.parse(await this.#load(textFile(address))) as readonly StoredSection[]
  }

  async exports(): Promise<readonly Export[]> {
    return JSON.parse(await this.#load(EXPORTS_FILE)) as readonly Export[]
  }

  #load(path: string): Promise<string> {
    const known = this.#loaded.get(path)
    if (known !== undefined) return known
    const loading = read(this.#addressOf(path))
    this.#loaded.set(path, loading)
    // The next question tries again.
    loading.catch(() => this.#loaded.delete(path))
    return loading
  }
}

async function read(address: string): Promise<string> {
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(`${address}: the server says ${answer.status}.`)
  return await answer.text()
}
