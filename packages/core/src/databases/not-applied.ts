import { messageOf } from '../base/errors.ts'

/** The fields of an error by which Halt knows a failure: those of `Store.evaluate`, and the code and the fix for people. */
const FIELDS = ['failure', 'code', 'fix', 'reply', 'counter'] as const

/**
 * The error of a call of which a store has certainly applied nothing. It names the failure as `error` does, which it leaves as it is,
 * because a database may throw one error object several times.
 */
export function notApplied(error: unknown): Error {
  const given = (error ?? {}) as Readonly<Record<string, unknown>>
  const known = FIELDS.filter(name => given[name] !== undefined).map(name => [name, given[name]])
  return Object.assign(new Error(messageOf(error), { cause: error }), Object.fromEntries(known), {
    unsent: true,
  })
}
