import { hintFor } from '#suggestion'

import { describe, HaltError, type HaltErrorCode } from './errors.ts'

/** An object of options whose values may have any type, because JavaScript users are not type-checked. */
export type Fields = Readonly<Record<string, unknown>>

/** Lists the names of a type's fields. The compiler rejects a list that misses a name or has an extra one. */
export function namesOf<T>(names: { readonly [K in keyof T]-?: true }): readonly string[] {
  return Object.freeze(Object.keys(names))
}

/**
 * Rejects options that are not an object, and names that are not in `known`. The fix suggests a known name.
 *
 * @throws HaltError `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`
 */
export function checkNames(fields: Fields, known: readonly string[], owner: string): void {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    const example = known[0] === undefined ? '{}' : `{ ${known[0]}: … }`
    fail('HALT_E_OPTION', `${owner} got ${describe(fields)} for its options.`, `Give an object: ${example}.`)
  }
  for (const name of Object.keys(fields)) {
    if (known.includes(name) || fields[name] === undefined) continue
    fail('HALT_E_UNKNOWN_FIELD', `${owner} has an unknown field "${name}".`, hintFor(name, known))
  }
}

/** Rejects a field whose value is not one of `choices`. */
export function checkChoice(
  fields: Fields,
  name: string,
  choices: readonly unknown[],
  code: HaltErrorCode,
): void {
  const value = fields[name]
  if (value === undefined || choices.includes(value)) return
  fail(code, `${name} is ${describe(value)}.`, `Choose one of ${choices.map(describe).join(', ')}.`)
}

/** Returns a whole number from `low` to `high`, and rejects any other value. @throws HaltError `HALT_E_OPTION` */
export function checkWhole(name: string, value: unknown, low: number, high: number): number {
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high) return value as number
  return fail(
    'HALT_E_OPTION',
    `${name} is ${describe(value)}.`,
    `Give a whole number from ${low} to ${high}.`,
  )
}

/** Rejects a field whose value has another type. */
export function checkType(fields: Fields, name: string, type: string, code: HaltErrorCode): void {
  const value = fields[name]
  if (value === undefined || typeof value === type) return
  const article = type === 'object' ? 'an' : 'a'
  fail(
    code,
    `${name} is ${describe(value)}, not ${article} ${type}.`,
    `Give ${article} ${type}, or leave it out.`,
  )
}

/** Rejects an object that lacks one of `methods`. @throws HaltError `HALT_E_OPTION` */
export function checkMethods(value: unknown, methods: readonly string[], owner: string): void {
  const given = (typeof value === 'object' || typeof value === 'function' ? value : null) as Fields | null
  const missing = methods.filter(name => typeof given?.[name] !== 'function')
  if (missing.length === 0) return
  fail(
    'HALT_E_OPTION',
    `${owner} got ${describe(value)}, which has no ${missing.join(', ')}.`,
    `Give an object with the methods ${methods.join(', ')}.`,
  )
}

/** Throws the error for a mistake in a configuration or a call. */
export function fail(code: HaltErrorCode, message: string, fix: string): never {
  throw new HaltError(code, message, fix)
}
