import type { StoreFailure } from '@halt/core/store'

/** The error of a failed call to a Durable Object. */
export class StoreError extends Error {
  readonly failure: StoreFailure
  /** Stable, `HALT_E_STORE_…`. */
  readonly code: `HALT_E_STORE_${string}`
  /** The kind of the error if the object itself replied with it. The object has then changed nothing. */
  readonly reply: string | undefined
  /** What the user can do about it, one sentence. */
  readonly fix: string

  constructor(message: string, kind: ErrorKind, { reply, cause }: { reply?: string; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StoreError'
    const [failure, code, fix] = KINDS[kind]
    this.failure = failure
    this.code = `HALT_E_STORE_${code}`
    this.reply = reply
    this.fix = fix
  }
}

/** The kind of a {@link StoreError}. It chooses the failure, the code and the fix. */
export type ErrorKind = 'unavailable' | 'overloaded' | 'misconfigured' | 'placement' | 'script'

const KINDS: Readonly<Record<ErrorKind, readonly [StoreFailure, string, string]>> = {
  unavailable: [
    'unavailable',
    'UNAVAILABLE',
    'Nothing, if it is rare: Durable Objects restart at deployments and when they move. Else look at the logs of the object.',
  ],
  overloaded: [
    'unavailable',
    'OVERLOADED',
    'Give each object fewer requests: objects: "per-subject", more shards, or no policy that all requests share.',
  ],
  misconfigured: [
    'misconfigured',
    'MISCONFIGURED',
    'Export HaltCounters from the Worker, bind it, and name it in new_sqlite_classes of a migration.',
  ],
  placement: ['misconfigured', 'MISCONFIGURED', 'Let objects return a name for every subject.'],
  script: [
    'script',
    'SCRIPT',
    'Let the binding reach HaltCounters itself, of the same version as the Worker.',
  ],
}

/** Whether a text names a kind of error. */
export function isErrorKind(value: unknown): value is ErrorKind {
  return typeof value === 'string' && Object.hasOwn(KINDS, value)
}

/** Turns the error that a stub threw into a {@link StoreError}. The object may have executed the call. */
export function toStoreError(thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown
  const message = textOf(thrown)
  return new StoreError(message, kindOf(thrown, message), { cause: thrown })
}

/** The error of a group of which a part may have been charged. */
export function inDoubt(error: unknown): unknown {
  if (!(error instanceof StoreError) || error.reply === undefined) return error
  const { message, failure, code, fix } = error
  return Object.assign(new StoreError(message, 'unavailable', { cause: error }), { failure, code, fix })
}

function kindOf(thrown: unknown, message: string): ErrorKind {
  if ((thrown as { overloaded?: unknown } | undefined)?.overloaded === true) return 'overloaded'
  if (MISTAKES.test(message)) return 'misconfigured'
  return 'unavailable'
}

// The class has no handler, does not exist, or is not exported.
const MISTAKES =
  /does not (?:export|implement|support)|no such (?:actor|Durable Object) class|is not exported/i

function textOf(thrown: unknown): string {
  return thrown instanceof Error && thrown.message !== '' ? thrown.message : String(thrown)
}
