import { describe } from './duration.ts'
import { HaltError, type HaltErrorCode } from './errors.ts'
import { suggest } from './suggestion.ts'

/** What a JavaScript user may have given: anything, by name. */
export type Fields = Readonly<Record<string, unknown>>

/** Lists the names of a type's fields. The compiler refuses a list that misses one, or has one too many. */
export function namesOf<T>(names: { readonly [K in keyof T]-?: true }): readonly string[] {
  return Object.freeze(Object.keys(names))
}

/** Refuses names that are not in `known`, with the nearest known one. */
export function checkNames(fields: Fields, known: readonly string[], owner: string): void {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    const example = known[0] === undefined ? '{}' : `{ ${known[0]}: … }`
    fail('HALT_E_OPTION', `${owner} got ${describe(fields)} for its options.`, `Give an object: ${example}.`)
  }
  for (const name of Object.keys(fields)) {
    if (known.includes(name) || fields[name] === undefined) continue
    fail('HALT_E_UNKNOWN_FIELD', `${owner} has an unknown field "${name}".`, hint(name, known))
  }
}

// What other limiters call it, by what it is called here.
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  window: ['windowMs', 'timeWindow', 'duration', 'interval', 'ttl'],
  limit: ['max', 'points', 'limiter', 'tokens', 'requests'],
  keyExtractor: ['keyGenerator', 'generateKey', 'keyFn'],
  onLimited: ['handler', 'message', 'errorResponseBuilder', 'onExceeded', 'onLimitReached'],
  chargeWhen: ['skipSuccessfulRequests', 'skipFailedRequests', 'requestWasSuccessful'],
  exemptions: ['allowList', 'whitelist', 'ignoreRoutes'],
  headers: ['standardHeaders', 'legacyHeaders', 'setHeaders', 'addHeaders'],
  policies: ['throttlers', 'limiters'],
  client: ['redis', 'url', 'storeClient', 'sendCommand'],
  maxKeys: ['max', 'maxSize', 'size'],
  prefix: ['keyPrefix', 'nameSpace'],
  mode: ['shadow', 'dryRun'],
}

function hint(name: string, known: readonly string[]): string {
  const here = known.find(other => ELSEWHERE[other]?.includes(name))
  if (here === 'window') return 'Use "window", in seconds or as "500ms".'
  if (here !== undefined) return `Use "${here}".`
  const near = suggest(name, known)
  return near === undefined ? `Known: ${[...new Set(known)].join(', ')}.` : `Did you mean "${near}"?`
}

/** Refuses a value that is not one of a few. */
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

/** Refuses what is not a whole number from `low` to `high`. @throws HaltError `HALT_E_OPTION` */
export function checkWhole(name: string, value: unknown, low: number, high: number): number {
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high) return value as number
  return fail(
    'HALT_E_OPTION',
    `${name} is ${describe(value)}.`,
    `Give a whole number from ${low} to ${high}.`,
  )
}

/** Refuses a value of another type. */
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

/** Throws a mistake in a configuration or a call. */
export function fail(code: HaltErrorCode, message: string, fix: string): never {
  throw new HaltError(code, message, fix)
}
