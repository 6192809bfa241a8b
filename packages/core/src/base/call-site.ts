import type { HaltError } from './errors.ts'

type Entry = ((...given: never[]) => unknown) | (abstract new (...given: never[]) => unknown)

interface Capturing {
  captureStackTrace?(error: Error, above: Entry): void
}

/**
 * Runs what a public function does. The stack of a {@link HaltError} that it throws begins with the line that called the
 * function, because the mistake is there.
 *
 * @param entry the function or class that users call
 * @example
 * const checked = fromCaller(MyStore, () => check(options))
 */
export function fromCaller<T>(entry: Entry, body: () => T): T {
  try {
    return body()
  } catch (error) {
    // Not instanceof: an ESM and a CommonJS copy may coexist.
    if (error instanceof Error && (error as Partial<HaltError>).name === 'HaltError')
      (Error as Capturing).captureStackTrace?.(error, entry)
    throw error
  }
}
