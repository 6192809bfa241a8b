/** A document as it was read. */
export interface VersionedText {
  /** Names this text: a number that grows by one with every write, a hyphen, and a random id of the write. "0" if never written. */
  readonly version: string
  readonly text: string
}

/**
 * A small text that all processes of a store share. It has no expiry, and a write succeeds only if nobody else has written since
 * the writer read.
 *
 * The random id in a version tells two texts apart that have the same number, because the store lost its data in between.
 */
export interface StoreDocument {
  /** Reads the document. Resolves to undefined if its version is still `since`. */
  read(since?: string): Promise<VersionedText | undefined>
  /** Writes the text if the version is still `since`. Resolves to {@link versionAfter} it; undefined if somebody else has written. */
  write(text: string, since: string): Promise<string | undefined>
}

/** The document before the first write. */
export const NEVER_WRITTEN: VersionedText = Object.freeze({ version: '0', text: '' })

/** A new version for a text that replaces the one of `version`: the next number, and a random id. */
export function versionAfter(version: string): string {
  return `${numberOf(version) + 1}-${crypto.randomUUID().slice(0, 8)}`
}

/** The number of a version: how many writes the document has had. 0 for a text that is not a version. */
export function numberOf(version: string): number {
  const number = Number.parseInt(version, 10)
  return Number.isSafeInteger(number) && number > 0 ? number : 0
}

const VERSION = /^(?:0|[1-9]\d{0,14}-[\da-z]{1,32})$/

/** Whether a value, such as a part of a store's reply, is a version. */
export function isVersion(value: unknown): value is string {
  return typeof value === 'string' && VERSION.test(value)
}

/** The longest document, in characters: 1 MiB. */
export const MAX_DOCUMENT: number = 2 ** 20

const NAME = /^[a-z][a-z0-9-]{0,31}$/

/** Whether a text names a document: 1 to 32 lower-case letters, digits and hyphens, the first a letter. */
export function isDocumentName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name)
}

/** The documents of a store in this process's memory, by their names. */
export class LocalDocuments {
  readonly #texts = new Map<string, VersionedText>()

  /** The document of a name. All documents of one name are one. */
  of(name: string): StoreDocument {
    const found = (): VersionedText => this.#texts.get(name) ?? NEVER_WRITTEN
    return {
      read: async since => (since === found().version ? undefined : found()),
      write: async (text, since) => {
        if (since !== found().version) return undefined
        const version = versionAfter(since)
        this.#texts.set(name, Object.freeze({ version, text }))
        return version
      },
    }
  }

  /** Forgets every document. A process that has read one before sees that it is gone. */
  clear(): void {
    this.#texts.clear()
  }
}

/** Writes a document as one value of a key-value database. */
export function toValue({ version, text }: VersionedText): string {
  return `${version}\n${text}`
}

/** Reads a document from such a value. A missing or broken value counts as never written. */
export function fromValue(value: string | undefined): VersionedText {
  const end = value === undefined ? -1 : value.indexOf('\n')
  const version = end < 1 ? '' : (value as string).slice(0, end)
  return isVersion(version) ? { version, text: (value as string).slice(end + 1) } : NEVER_WRITTEN
}

/** The key of a document in a key-value database. No counter has it, because a counter's key holds a space. */
export function keyOfDocument(name: string): string {
  return `document:${name}`
}

/** The instant at which a document expires: never. Unix milliseconds of the year 9999, which every database can store. */
export const NEVER_EXPIRES: number = Date.UTC(9999, 11, 31)
