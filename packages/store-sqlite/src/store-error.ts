import { errorCode, type ErrorMeaning, errorText, StoreError } from '@halt/core/store'

/** SQLite's names of its results, by their numbers. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'SQLITE_ERROR',
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  23: 'SQLITE_AUTH',
  26: 'SQLITE_NOTADB',
}

const AWAY: ErrorMeaning = ['unavailable', 'UNAVAILABLE', 'Check the disk and the folder of the file.']
const BUSY: ErrorMeaning = [
  'timeout',
  'TIMEOUT',
  'Another connection held the lock of the file too long: let nothing but Halt write to it.',
]
const READONLY: ErrorMeaning = [
  'unavailable',
  'READONLY',
  'Let the user of the process write the file, its -wal and -shm, and their folder.',
]
const CORRUPT: ErrorMeaning = [
  'misconfigured',
  'CORRUPT',
  'Stop all processes, then delete the file, its -wal and its -shm, or restore a copy.',
]
const OTHER: ErrorMeaning = ['misconfigured', 'MISCONFIGURED', 'Correct the state that the message names.']

const MEANINGS: Readonly<Record<string, ErrorMeaning>> = {
  SQLITE_BUSY: BUSY,
  SQLITE_LOCKED: BUSY,
  SQLITE_PROTOCOL: BUSY,
  SQLITE_READONLY: READONLY,
  SQLITE_PERM: READONLY,
  SQLITE_AUTH: READONLY,
  SQLITE_FULL: ['full', 'OOM', 'Make room on the disk.'],
  SQLITE_NOMEM: ['full', 'OOM', 'Give the process more memory.'],
  SQLITE_CORRUPT: CORRUPT,
  SQLITE_NOTADB: ['misconfigured', 'CORRUPT', 'Give the path of a new file, or of one that SQLite made.'],
  SQLITE_CANTOPEN: AWAY,
  SQLITE_IOERR: AWAY,
}

/**
 * SQLite's name of an error, without its extension: `SQLITE_BUSY`. Undefined if the error is not SQLite's. `node:sqlite` tells the number
 * as `errcode`, `bun:sqlite` as `errno`, and the others the name as `code`.
 */
export function codeOf(error: unknown): string | undefined {
  const { errcode, errno } = (error ?? {}) as { errcode?: unknown; errno?: unknown }
  const number = typeof errcode === 'number' ? errcode : errno
  // The numbers of the operating system are negative.
  if (typeof number === 'number' && number > 0) {
    const name = NAMES[number & 255]
    if (name !== undefined) return name
  }
  return /^SQLITE_[A-Z]+/.exec(errorCode(error) ?? '')?.[0]
}

/** Whether another connection holds the lock of the file. */
export function isBusy(error: unknown): boolean {
  return (error instanceof StoreError ? error.reply : codeOf(error)) === 'SQLITE_BUSY'
}

/**
 * The error of a transaction that failed.
 *
 * @param isInDoubt whether the failed statement was the commit. After an error of the disk, nobody knows whether it was made.
 */
export function toStoreError(error: unknown, isInDoubt = false): StoreError {
  if (error instanceof StoreError) return error
  const code = codeOf(error)
  const text = errorText(error).replace(/\.$/, '')
  // A driver refuses a call before SQLite has it, for example if the database was closed.
  if (code === undefined) return Object.assign(new StoreError(text, AWAY, { cause: error }), { unsent: true })
  const reply = isInDoubt && code === 'SQLITE_IOERR' ? undefined : code
  return new StoreError(text, MEANINGS[code] ?? meaningOf(text), { reply, cause: error })
}

function meaningOf(text: string): ErrorMeaning {
  return /(?:within|inside) a transaction/.test(text)
    ? [
        'misconfigured',
        'MISCONFIGURED',
        'Give the store a connection of its own, on which nothing else runs.',
      ]
    : OTHER
}

/** The error of a file that is not at its path any more. */
export function movedError(path: string): StoreError {
  const meaning: ErrorMeaning = [
    'unavailable',
    'UNAVAILABLE',
    'Put the file back, or start all processes again. Never delete the file while a process has it open.',
  ]
  const text = `${path}, its -wal or its -shm was deleted or replaced while this process had it open`
  return new StoreError(text, meaning)
}
