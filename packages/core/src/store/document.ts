/** A document as it was read. */
export interface VersionedText {
  /** Grows by one with every write; 0 if the document was never written. */
  readonly version: number
  readonly text: string
}

/**
 * A small text that all processes of a store share. It has no expiry, and a write succeeds only if nobody else has written since
 * the writer read.
 */
export interface StoreDocument {
  /** Reads the document. Resolves to undefined if its version is still `since`. */
  read(since?: number): Promise<VersionedText | undefined>
  /** Writes the text if the version is still `since`. Resolves to the new version; undefined if somebody else has written. */
  write(text: string, since: number): Promise<number | undefined>
}

/** The version before the first write. */
export const NEVER_WRITTEN: VersionedText = Object.freeze({ version: 0, text: '' })

/** The longest document, in characters: 1 MiB. */
export const MAX_DOCUMENT: number = 2 ** 20

const NAME = /^[a-z][a-z0-9-]{0,31}$/

/** Whether a text names a document: 1 to 32 lower-case letters, digits and hyphens, the first a letter. */
export function isDocumentName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name)
}

/** A document in this process's memory. */
export class LocalDocument implements StoreDocument {
  #version = 0
  #text = ''

  read(since?: number): Promise<VersionedText | undefined> {
    const isSame = since === this.#version
    return Promise.resolve(isSame ? undefined : { version: this.#version, text: this.#text })
  }

  write(text: string, since: number): Promise<number | undefined> {
    if (since !== this.#version) return Promise.resolve(undefined)
    this.#text = text
    return Promise.resolve(++this.#version)
  }
}

/** The documents of a store in this process's memory, by their names. */
export class LocalDocuments {
  readonly #documents = new Map<string, LocalDocument>()

  /** The document of a name. The same name gives the same document. */
  of(name: string): LocalDocument {
    let document = this.#documents.get(name)
    if (document === undefined) this.#documents.set(name, (document = new LocalDocument()))
    return document
  }

  /** Forgets every document. */
  clear(): void {
    this.#documents.clear()
  }
}

/** Writes a document as one value of a key-value database. */
export function toValue({ version, text }: VersionedText): string {
  return `${version}\n${text}`
}

/** Reads a document from such a value. A missing or broken value counts as never written. */
export function fromValue(value: string | undefined): VersionedText {
  const end = value === undefined ? -1 : value.indexOf('\n')
  const version = end < 1 ? Number.NaN : Number((value as string).slice(0, end))
  if (!Number.isSafeInteger(version) || version < 1) return NEVER_WRITTEN
  return { version, text: (value as string).slice(end + 1) }
}

/** The key of a document in a key-value database. No counter has it, because a counter's key holds a space. */
export function keyOfDocument(name: string): string {
  return `document:${name}`
}

/** The instant at which a document expires: never. Unix milliseconds of the year 9999, which every database can store. */
export const NEVER_EXPIRES: number = Date.UTC(9999, 11, 31)
