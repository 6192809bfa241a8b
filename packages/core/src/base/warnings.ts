import type { HaltWarningCode } from './codes.ts'
import { type HaltError, pageOf } from './errors.ts'
import { isStrayPromise } from './promises.ts'

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

export type { HaltWarningCode } from './codes.ts'

/** A likely misconfiguration that Halt noticed while it ran. Requests are still decided. */
export interface HaltWarning {
  /** A stable code, `HALT_W_…`. */
  readonly code: HaltWarningCode
  readonly message: string
  /** One sentence that says what to do about it, often with the line to paste. */
  readonly fix: string
}

/** Receives warnings. Halt passes each code once per receiver. */
export type Warn = (warning: HaltWarning) => void

interface ProcessLike {
  emitWarning?: (message: string, options: { type: string; code: string }) => void
}

/** Prints a warning through `process.emitWarning` where the runtime has it, else through `console.warn`. */
const printWarning: Warn = ({ code, message, fix }) => {
  const text = `${message} ${fix} (${pageOf(code)})`
  const host = (globalThis as { process?: ProcessLike; console?: { warn(text: string): void } }) ?? {}
  if (typeof host.process?.emitWarning === 'function')
    host.process.emitWarning(text, { type: 'HaltWarning', code })
  else host.console?.warn(`${code}: ${text}`)
}

const passedOn = Symbol.for('halt.warnings.said')
const silenced = Symbol.for('halt.warnings.silenced')

/**
 * Stops warnings of these codes in the whole process, for a set-up that is intended.
 *
 * @example
 * silence('HALT_W_UNVERIFIED_API_KEY')
 */
export function silence(...codes: readonly HaltWarningCode[]): void {
  for (const code of codes) processWide(silenced).add(code)
}

/** One event of a kind that recurs, such as an outage. Each event passes each code once per receiver. It keeps no receiver alive. */
export class Occasion {
  readonly #told = new WeakMap<Warn, Set<string>>()

  /** The codes or kinds that this event has passed to a receiver. */
  toldTo(receiver: Warn): Set<string> {
    let told = this.#told.get(receiver)
    if (told === undefined) this.#told.set(receiver, (told = new Set()))
    return told
  }
}

/** Passes each code on once, or once per occasion where one is given. Warnings of one `kind` count as one code. */
export interface WarnOnce extends Warn {
  (warning: HaltWarning, occasion?: Occasion, kind?: string): void
}

/**
 * Makes a receiver that passes each code on once.
 *
 * @param warn where warnings go. Default: printed, each code once per process
 */
export function warnOnce(warn?: Warn): WarnOnce {
  const target = warn ?? printWarning
  const ever = warn === undefined ? processWide(passedOn) : new Set<string>()
  return (warning: HaltWarning, occasion?: Occasion, kind: string = warning.code) => {
    const seen = occasion === undefined ? ever : occasion.toldTo(target)
    if (seen.has(kind) || processWide(silenced).has(warning.code)) return
    seen.add(kind)
    try {
      isStrayPromise(target(warning))
    } catch {
      // A receiver that throws must not make the request fail.
    }
  }
}

// On globalThis, because an ESM and a CommonJS copy of the package must share the set.
function processWide(name: symbol): Set<string> {
  const holder = globalThis as { [name: symbol]: Set<string> | undefined }
  return (holder[name] ??= new Set())
}
