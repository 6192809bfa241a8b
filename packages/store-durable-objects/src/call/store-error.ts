import { type ErrorMeaning, errorText, inDoubt, StoreError } from '@halt/core/store'

/** The kind of a {@link StoreError}. It chooses the failure, the code and the fix. */
export type ErrorKind = 'unavailable' | 'overloaded' | 'misconfigured' | 'placement' | 'script'

const KINDS: Readonly<Record<ErrorKind, ErrorMeaning>> = {
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

/** Makes the error of a call to a Durable Object. Its `reply` is the kind if the object itself replied with it, and changed nothing. */
export function storeError(message: string, kind: ErrorKind, reply?: ErrorKind, cause?: unknown): StoreError {
  return new StoreError(message, KINDS[kind], { reply, cause })
}

/** Whether a text names a kind of error. */
export function isErrorKind(value: unknown): value is ErrorKind {
  return typeof value === 'string' && Object.hasOwn(KINDS, value)
}

/** Turns the error that a stub threw into a {@link StoreError}. The object may have executed the call. */
export function toStoreError(thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown
  const message = errorText(thrown)
  return storeError(message, kindOf(thrown, message), undefined, thrown)
}

/** The error of a group of which a part may have been charged. */
export function partlyInDoubt(error: unknown): unknown {
  return error instanceof StoreError && error.reply !== undefined ? inDoubt(error) : error
}

function kindOf(thrown: unknown, message: string): ErrorKind {
  if ((thrown as { overloaded?: unknown } | undefined)?.overloaded === true) return 'overloaded'
  if (MISTAKES.test(message)) return 'misconfigured'
  return 'unavailable'
}

// The class has no handler, does not exist, or is not exported.
const MISTAKES =
  /does not (?:export|implement|support)|no such (?:actor|Durable Object) class|is not exported/i
