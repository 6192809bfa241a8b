import { type Item, type List, parseDictionary, parseList, Token } from 'structured-headers'

import type { HeaderList } from './header-list.ts'
import { type LimitReading, readCount } from './limit-reading.ts'

/** A policy of the `RateLimit-Policy` field. */
export interface StatedPolicy {
  /** Its name. Absent in the drafts before 08, where the field holds only numbers. */
  readonly name: string | undefined
  readonly limit: number | undefined
  /** In seconds. */
  readonly window: number | undefined
}

/**
 * Reads the `RateLimit` field: the list of drafts 08 to 11 (`r` and `t`) and of the change that follows them (`a` and `w`), with the
 * policies that only `RateLimit-Policy` names, or the dictionary of draft 07. Empty if there is none, or if it cannot be parsed.
 */
export function readStructured(headers: HeaderList, now: number): LimitReading[] {
  const text = headers.get('ratelimit')
  const stated = readPolicies(headers)
  const list = text === undefined ? [] : items(text)
  if (list === undefined) return readDictionary(text as string, stated, now)
  const rows = list.flatMap(([value, parameters]): LimitReading[] => {
    const policy = nameOf(value)
    if (policy === undefined) return []
    const { limit, window } = stated.find(({ name }) => name === policy) ?? UNKNOWN
    const remaining = readCount(parameters.get('r') ?? parameters.get('a'))
    const wait = readCount(parameters.get('t') ?? parameters.get('w'))
    return [{ policy, limit, window, remaining, resetAtMs: later(now, wait) }]
  })
  const told = new Set(rows.map(({ policy }) => policy))
  for (const { name, limit, window } of stated) {
    if (name === undefined || told.has(name)) continue
    rows.push({ policy: name, limit, window, remaining: undefined, resetAtMs: undefined })
  }
  return rows
}

/** Reads `RateLimit-Policy`, in each draft. Empty if it is absent or cannot be parsed. */
export function readPolicies(headers: HeaderList): StatedPolicy[] {
  const list = items(headers.get('ratelimit-policy') ?? '') ?? []
  return list.map(([value, parameters]) => ({
    name: nameOf(value),
    limit: readCount(typeof value === 'number' ? value : parameters.get('q')),
    window: readCount(parameters.get('w')) || undefined,
  }))
}

const UNKNOWN: StatedPolicy = Object.freeze({ name: undefined, limit: undefined, window: undefined })

/** Draft 07: `limit=100, remaining=50, reset=30`. */
function readDictionary(text: string, stated: readonly StatedPolicy[], now: number): LimitReading[] {
  const found = attempt(() => parseDictionary(text))
  const count = (name: string): number | undefined => readCount(found?.get(name)?.[0])
  const [limit, remaining, wait] = [count('limit'), count('remaining'), count('reset')]
  if (limit === undefined && remaining === undefined && wait === undefined) return []
  const { window } = stated.find(policy => policy.limit === limit) ?? UNKNOWN
  return [{ policy: 'default', limit, remaining, window, resetAtMs: later(now, wait) }]
}

/** The items of a list; `undefined` if the text is not a list. */
function items(text: string): Item[] | undefined {
  const list = attempt((): List => parseList(text))
  return list?.filter((member): member is Item => !Array.isArray(member[0]))
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}

function nameOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof Token ? value.toString() : undefined
}

function later(now: number, seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : now + seconds * 1000
}
