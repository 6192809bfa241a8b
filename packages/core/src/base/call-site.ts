import type { HaltError } from './errors.ts'

type Entry = ((...given: never[]) => unknown) | (abstract new (...given: never[]) => unknown)

interface Capturing {
  captureStackTrace?(error: Error, above: Entry): void
}

/**
 * Runs the body of a public function. If the body throws a {@link HaltError}, its stack begins with the line that called the
 * public function, because the mistake is on that line.
 *
 * @param entry the function or class that users call
 * @example
 * const checked = fromCaller(MyStore, () => check(options))
 */
export function fromCaller<T>(entry: Entry, body: () => T): T {
  try {
    return body()
  } catch (error) {
    // By name, not instanceof: an ESM and a CommonJS copy of the class may coexist.
    if (error instanceof Error && (error as Partial<HaltError>).name === 'HaltError')
      (Error as Capturing).captureStackTrace?.(error, entry)
    throw error
  }
}
