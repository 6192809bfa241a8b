import type { HaltErrorCode } from './codes.ts'

export type { HaltErrorCode } from './codes.ts'

/**
 * An error that Halt throws for a mistake in a configuration or a call. A refused request is not an error.
 *
 * Test `error.code`, not `instanceof`: an ESM and a CommonJS copy of the package may coexist.
 */
export class HaltError extends Error {
  /** A stable code, `HALT_E_…`. */
  readonly code: HaltErrorCode
  /** One sentence that says what is wrong: the message without the code and the fix. */
  readonly summary: string
  /** One sentence that says what to do about it. */
  readonly fix: string

  constructor(code: HaltErrorCode, message: string, fix: string, options?: { cause?: unknown }) {
    super(`${code}: ${message} ${fix} (${pageOf(code)})`, options)
    this.name = 'HaltError'
    this.code = code
    this.summary = message
    this.fix = fix
  }
}

/** The address of the page that explains an error code or a warning code. */
export function pageOf(code: string): string {
  return `https://github.com/halt-limits/halt/blob/main/docs/errors/${code}.md`
}

/** The message of any thrown value. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown)
  } catch {
    // A revoked proxy, a getter that throws, an object that cannot be converted to text.
    return 'the thrown value has no text'
  }
}

/** Shows a value in an error message: at most about 40 characters, in quotes when it is text. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}
