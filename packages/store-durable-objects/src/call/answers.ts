import { isVersion, StoreMisread, type VersionedText } from '@halt/core/store'

/** Reads the number of forgotten counters. @throws StoreMisread */
export function readCount(answer: unknown): number {
  if (Number.isSafeInteger(answer) && (answer as number) >= 0) return answer as number
  throw new StoreMisread('the object answered no number of counters')
}

/** Reads a document. Undefined if it has not changed. @throws StoreMisread */
export function readText(answer: unknown): VersionedText | undefined {
  if (answer === null) return undefined
  const { version, text } = (typeof answer === 'object' ? answer : {}) as Partial<VersionedText>
  if (isVersion(version) && typeof text === 'string') return { version, text }
  throw new StoreMisread('the object answered no document')
}

/** Reads the version after a write. Undefined if somebody else has written. @throws StoreMisread */
export function readVersion(answer: unknown): string | undefined {
  if (answer === null) return undefined
  if (isVersion(answer)) return answer
  throw new StoreMisread('the object answered no version')
}
