import { BoundedMap } from '../base/bounded-memory.ts'
import { readId } from '../base/callbacks.ts'
import { describe, HaltError } from '../base/errors.ts'
import { type Awaitable, atOnce, within } from '../base/promises.ts'
import { fromCaller } from '../base/warnings.ts'
import { checkNames, checkWhole, fail, namesOf } from '../base/options-check.ts'
import { type Duration, parseDuration } from '../base/duration.ts'
import type { Policy } from '../policy/policy.ts'
import { validate } from '../policy/validation.ts'

type Loaded<R> = Policy<R> | readonly Policy<R>[]

/** Options of {@link cachedPolicy}. */
export interface CachedPolicyOptions<R> {
  /** Returns the id that the policy depends on, such as the user's or tenant's. No id is loaded as `''`. */
  readonly key: (request: R) => string | number | null | undefined
  /** How long a loaded policy is used before it is loaded again. Default `"5s"`. */
  readonly ttl?: Duration | undefined
  /** How much longer a loaded policy is used if loading fails or is slow. Default `"1h"`. */
  readonly stale?: Duration | undefined
  /** The most ids kept, 1 to 16 000 000. Beyond that, the id used longest ago is forgotten. Default 10 000. */
  readonly maxKeys?: number | undefined
}

/** A cached look-up of policies. */
export interface CachedPolicy<R> {
  (request: R): Awaitable<Loaded<R>>
  /**
   * Forgets the policy of an id in this process, so that the next request loads it: after a customer has changed plans. A load that is
   * under way is not used any more. Other processes load it when their `ttl` is over.
   *
   * @throws HaltError `HALT_E_OPTION` for a value that is not an id
   */
  forget(key: string | number): void
}

/** Returns the loaded policies if they are valid, else throws, so that an invalid policy never replaces the old one. */
function validated<R>(loaded: Loaded<R>): Loaded<R> {
  const list: readonly unknown[] = Array.isArray(loaded) ? loaded : [loaded]
  for (const policy of list.length === 0 ? [undefined] : list) validate(policy)
  return loaded
}

interface Entry<R> {
  policy: Loaded<R> | undefined
  loadedAt: number
  loading: Promise<Loaded<R>> | undefined
  loadingSince: number
}

/** The longest that a request with an old policy waits for a new one. */
const LATE_MS = 50
/** A load that takes longer is given up, because its connection is probably gone. The next request starts another load. */
const GIVE_UP_MS = 10_000

/**
 * Wraps a policy loader, such as a database look-up, in a cache. An id has one load at a time. If a load fails or takes more than
 * 50 ms, the old policy is used.
 *
 * @throws HaltError `HALT_E_DURATION`, `HALT_E_OPTION`
 * @example
 * policy: cachedPolicy(async id => getPlanPolicy(await db.planOf(id)), { key: (req: Request) => req.user.id, ttl: '30s' })
 */
export function cachedPolicy<R = unknown>(
  load: (key: string, request: R) => Awaitable<Loaded<R>>,
  options: CachedPolicyOptions<R>,
): CachedPolicy<R> {
  const { fresh, usable, maxKeys } = fromCaller(cachedPolicy, () => numbersOf(load, options))
  const { key } = options
  const entries = new BoundedMap<Entry<R>>(maxKeys)

  function entryOf(id: string): Entry<R> {
    const entry = entries.get(id) ?? { policy: undefined, loadedAt: 0, loading: undefined, loadingSince: 0 }
    entries.set(id, entry)
    return entry
  }

  function refresh(entry: Entry<R>, id: string, request: R): Promise<Loaded<R>> {
    const now = performance.now()
    if (entry.loading !== undefined && now - entry.loadingSince < GIVE_UP_MS) return entry.loading
    const loading = (async () => validated(await load(id, request)))()
    entry.loading = loading
    entry.loadingSince = now
    // Ignore a load that was given up, because a newer one has replaced it.
    const end = (policy?: Loaded<R>): void => {
      if (entry.loading !== loading) return
      entry.loading = undefined
      if (policy !== undefined) Object.assign(entry, { policy, loadedAt: performance.now() })
    }
    loading.then(end, () => end())
    return loading
  }

  const resolve = (request: R): Awaitable<Loaded<R>> => {
    const id = idOf(key(request))
    const entry = entryOf(id)
    const age = performance.now() - entry.loadedAt
    if (entry.policy !== undefined && age < fresh) return entry.policy
    const loading = refresh(entry, id, request)
    const old = entry.policy
    if (old === undefined || age >= usable) return loading
    const wait = LATE_MS - (performance.now() - entry.loadingSince)
    const late = (): Error => new Error('late')
    // After a failure the next request loads again. While a load is late, further requests do not wait for it.
    const found = within(loading, Math.max(0, wait), late).catch(() => old)
    return wait > 0 ? found : old
  }
  const forget = (key: string | number): void => {
    const id = readId(key)
    if (id === undefined)
      fail('HALT_E_OPTION', `forget() got ${describe(key)}.`, 'Give the id that key returns.')
    entries.delete(id)
  }
  return Object.assign(resolve, { forget })
}

/** The id that `key` returned. Clients must not share an entry because they have no proper id, so a wrong one is an error. */
function idOf(given: unknown): string {
  const id = readId(atOnce(given, 'key'))
  if (id !== undefined) return id
  if (given === undefined || given === null || typeof given === 'string') return ''
  throw new TypeError(`key returned ${describe(given)}, which is not an id`)
}

const OPTIONS = namesOf<CachedPolicyOptions<never>>({ key: true, ttl: true, stale: true, maxKeys: true })

/** How long after its load a policy is fresh, and how long it is usable, in milliseconds; and how many ids are kept. */
function numbersOf(
  load: unknown,
  options: CachedPolicyOptions<never>,
): { fresh: number; usable: number; maxKeys: number } {
  const { key, ttl = '5s', stale = '1h', maxKeys = 10_000 } = options ?? {}
  if (typeof load !== 'function' || typeof key !== 'function') {
    throw new HaltError(
      'HALT_E_OPTION',
      'cachedPolicy needs a loader and a key function.',
      'Give cachedPolicy(load, { key: request => id }).',
    )
  }
  checkNames(options as unknown as Record<string, unknown>, OPTIONS, 'cachedPolicy')
  const fresh = parseDuration(ttl, 'ttl') / 1000
  const usable = fresh + parseDuration(stale, 'stale') / 1000
  return { fresh, usable, maxKeys: checkWhole('maxKeys', maxKeys, 1, 16_000_000) }
}
