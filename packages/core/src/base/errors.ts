import { isStrayPromise } from './timers.ts'

// Where a code is explained.
const page = (code: string): string => `https://github.com/halt-limits/halt/blob/main/docs/errors/${code}.md`

/** A stable error code; each has a page under `docs/errors`. */
export type HaltErrorCode = `HALT_E_${string}`
/** A stable warning code; each has a page under `docs/errors`. */
export type HaltWarningCode = `HALT_W_${string}`

/**
 * An error of Halt's: a mistake in a configuration or a call, never the outcome of a request.
 *
 * Test `error.code`, not `instanceof`: an ESM and a CommonJS copy of the package may coexist.
 */
export class HaltError extends Error {
  /** Stable, `HALT_E_…`. */
  readonly code: HaltErrorCode
  /** What is wrong, one sentence: the message without the code and the fix. */
  readonly summary: string
  /** What to do about it, one sentence. */
  readonly fix: string

  constructor(code: HaltErrorCode, message: string, fix: string, options?: { cause?: unknown }) {
    super(`${code}: ${message} ${fix} (${page(code)})`, options)
    this.name = 'HaltError'
    this.code = code
    this.summary = message
    this.fix = fix
  }
}

/** A misconfiguration noticed while running: nothing is broken, something is not as meant. */
export interface HaltWarning {
  /** Stable, `HALT_W_…`. */
  readonly code: HaltWarningCode
  readonly message: string
  /** What to do about it, one sentence, often the very line to paste. */
  readonly fix: string
}

/** Receives warnings, each code once per receiver. */
export type Warn = (warning: HaltWarning) => void

interface ProcessLike {
  emitWarning?: (message: string, options: { type: string; code: string }) => void
}

/** Prints through `process.emitWarning` where there is one, else through `console.warn`. */
const printWarning: Warn = ({ code, message, fix }) => {
  const text = `${message} ${fix} (${page(code)})`
  const host = (globalThis as { process?: ProcessLike; console?: { warn(text: string): void } }) ?? {}
  if (typeof host.process?.emitWarning === 'function')
    host.process.emitWarning(text, { type: 'HaltWarning', code })
  else host.console?.warn(`${code}: ${text}`)
}

const said = Symbol.for('halt.warnings.said')
const silenced = Symbol.for('halt.warnings.silenced')

/**
 * Keeps warnings of these codes from being passed on, in the whole process: for what is meant to be as it is.
 *
 * @example
 * silence('HALT_W_UNVERIFIED_API_KEY')
 */
export function silence(...codes: readonly HaltWarningCode[]): void {
  for (const code of codes) processWide(silenced).add(code)
}

/** What an error says, whatever was thrown: never throws itself. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown)
  } catch {
    // A revoked proxy, a getter that throws, an object that cannot be made a text.
    return 'what it threw has no text'
  }
}

/** What comes again and again, such as an outage: each one is warned of, each code once a receiver. */
export class Occasion {
  readonly #told = new Map<Warn, Set<string>>()

  /** The codes that a receiver was told of it. */
  toldTo(receiver: Warn): Set<string> {
    let told = this.#told.get(receiver)
    if (told === undefined) this.#told.set(receiver, (told = new Set()))
    return told
  }
}

/** Passes each code on once; of an occasion, once for each. */
export interface WarnOnce extends Warn {
  (warning: HaltWarning, occasion?: Occasion): void
}

/** Makes a receiver that passes each code on once: once a process for the default one, else once per `warn`. */
export function warnOnce(warn?: Warn): WarnOnce {
  const target = warn ?? printWarning
  const ever = warn === undefined ? processWide(said) : new Set<string>()
  return (warning: HaltWarning, occasion?: Occasion) => {
    const seen = occasion === undefined ? ever : occasion.toldTo(target)
    if (seen.has(warning.code) || processWide(silenced).has(warning.code)) return
    seen.add(warning.code)
    try {
      isStrayPromise(target(warning))
    } catch {
      // A receiver that throws must not turn a warning into a failed request.
    }
  }
}

// Kept on globalThis so that an ESM and a CommonJS copy of the package share it.
function processWide(name: symbol): Set<string> {
  const holder = globalThis as { [name: symbol]: Set<string> | undefined }
  return (holder[name] ??= new Set())
}
