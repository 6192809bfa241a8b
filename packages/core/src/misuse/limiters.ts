import { BoundedMap } from '../base/bounded-memory.ts'
import type { Warn } from '../base/warnings.ts'
import { type Reference, referTo } from '../base/weak-list.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { isSamePolicy } from '../limiter/policy-source.ts'
import { capabilitiesOf } from '../store/capabilities.ts'
import type { Store } from '../store/contract.ts'

// A service builds its limiters when it starts. This many limiters with one policy are built by requests.
const PER_REQUEST_FROM = 100
const MAX_NAMES = 10_000

// By the name of the first policy.
let built: BoundedMap<Built> | undefined
// Made late, as the other map here, because this file loads while the kernel that imports it is loading.
const builtLimiters = (): BoundedMap<Built> => (built ??= new BoundedMap(MAX_NAMES))
const stores = new WeakMap<Store, BoundedMap<CompiledPolicy>>()

/**
 * Registers the policies of a new limiter. Warns of limiters that are built per request, and of two different policies with
 * one name.
 */
export function registerPolicies(policies: readonly CompiledPolicy[], store: Store, warn: Warn): void {
  const [first] = policies
  if (first === undefined) return
  noticeLimiterPerRequest(first.name, warn)
  let known = stores.get(store)
  if (known === undefined) stores.set(store, (known = new BoundedMap(MAX_NAMES)))
  for (const policy of policies) {
    const before = known.get(policy.name)
    if (before !== undefined && !isCompatible(before, policy)) noticeConflict(before, policy, warn)
    known.set(policy.name, policy)
  }
}

/** The limiters of one policy that were built while a service ran. */
interface Built {
  /** The first one, and the limiters that were built after another one had met a request. */
  count: number
  /** Whether the last one, or another one since, has met its first request. */
  isUsed: boolean
}

/** Notes that a limiter meets the first request under a list of policies. */
export function noticeUse(policies: readonly CompiledPolicy[]): void {
  const known = builtLimiters().get(policies[0]?.name ?? '')
  if (known !== undefined) known.isUsed = true
}

// Limiters of one name that are built one after another, such as one for each route, are built at start. Requests build one, use it,
// and build the next.
function noticeLimiterPerRequest(name: string, warn: Warn): void {
  const known = builtLimiters().get(name)
  if (known === undefined) return builtLimiters().set(name, { count: 1, isUsed: false })
  if (!known.isUsed) return
  known.isUsed = false
  if (++known.count !== PER_REQUEST_FROM) return
  warn({
    code: 'HALT_W_LIMITER_PER_REQUEST',
    message: `${PER_REQUEST_FROM} limiters with the policy "${name}" were built in this process, each after another one had met a request.`,
    fix: 'Build a limiter once, outside the handler, and use it for all requests. A new limiter with a store of its own starts from zero.',
  })
}

function noticeConflict(before: CompiledPolicy, now: CompiledPolicy, warn: Warn): void {
  warn({
    code: 'HALT_W_POLICY_CONFLICT',
    message: `Two limiters on one store have a policy "${now.name}" with different numbers: ${numbersOf(before)}, and ${numbersOf(now)}.`,
    fix: 'They share one counter. Give one of them another name, or give both the same numbers.',
  })
}

function isCompatible(a: CompiledPolicy, b: CompiledPolicy): boolean {
  // Policies with different counters cannot conflict.
  return a.rule('').counter !== b.rule('').counter || isSamePolicy(a, b)
}

function numbersOf({ limit, capacity, window, calendar }: CompiledPolicy): string {
  if (calendar !== undefined) return `${limit} a period`
  return `${limit} in ${window / 1e6} s${capacity === limit ? '' : `, bursts of ${capacity}`}`
}

// By counter of a policy: the default store of the last limiter that has the policy.
let defaults: BoundedMap<Reference<Store>> | undefined
const defaultStores = (): BoundedMap<Reference<Store>> => (defaults ??= new BoundedMap(MAX_NAMES))

/**
 * Warns when a new limiter and another one have a policy of the same name and a default store each. Then each limiter admits
 * `limit` requests, while on Redis both together would admit that many.
 *
 * A limiter that has already counted requests is ignored. An app that serves requests has built all its limiters, so the new
 * limiter belongs to another app, as in tests.
 */
export function noticeSplit(policies: readonly CompiledPolicy[], store: Store, warn: Warn): void {
  for (const policy of policies) {
    const { name, off } = policy
    const { counter } = policy.rule('')
    const other = defaultStores().get(counter)?.deref()
    if (!off && other !== undefined && other !== store && (other.size ?? 0) === 0)
      warn({
        code: 'HALT_W_COUNTER_SPLIT',
        message: `Two limiters of this process have a policy "${name}", and each has a memory store of its own. Each admits the whole limit, while on Redis they would share it.`,
        fix: 'Build one RateLimiter and give it to both, halt({ limiter }), or give the policies different names.',
      })
    defaultStores().set(counter, referTo(store))
  }
}

/** Forgets the default store of a limiter whose app has ended. */
export function forgetSplit(policies: readonly CompiledPolicy[], store: Store): void {
  for (const policy of policies) {
    const { counter } = policy.rule('')
    if (defaultStores().get(counter)?.deref() === store) defaultStores().delete(counter)
  }
}

interface Globals {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> }
  readonly Deno?: {
    readonly permissions?: {
      querySync(what: { readonly name: 'env'; readonly variable: string }): { readonly state: string }
    }
  }
}

// Environment variables by which a manager shows that a process is one of several, or is short-lived.
const SIGNS: readonly (readonly [variable: string, role: string, isSign?: (value: string) => boolean])[] = [
  ['NODE_UNIQUE_ID', "a worker of Node's cluster"],
  ['pm_id', 'an instance of PM2', value => value !== '0'],
  ['WEB_CONCURRENCY', 'one of several web processes', value => Number(value) > 1],
  ['AWS_LAMBDA_FUNCTION_NAME', 'an AWS Lambda function'],
  ['K_SERVICE', 'a Cloud Run container'],
  ['FUNCTION_NAME', 'a cloud function'],
  ['VERCEL', 'a Vercel function'],
]

/** Warns of counters in memory when other processes serve the same clients with counters of their own. */
export function noticeProcesses(store: Store, instances: number | 'auto', warn: Warn): void {
  if (capabilitiesOf(store).kind !== 'memory') return
  const role = instances !== 'auto' && instances > 1 ? `one of ${instances} instances` : sharedRole()
  if (role === undefined) return
  warn({
    code: 'HALT_W_MEMORY_STORE_SHARED',
    message: `Counters are in this process's memory, and the process is ${role}. So each process gives every client the whole limit.`,
    fix: 'On one machine give store: new SqliteStore({ database }) of @halt/store-sqlite, on several new RedisStore({ client }): all processes share it.',
  })
}

function sharedRole(): string | undefined {
  return SIGNS.find(([name, , isSign]) => {
    const value = variable(name)
    return value !== undefined && value !== '' && (isSign === undefined || isSign(value))
  })?.[1]
}

/** An environment variable. Undefined if this runtime has none, or does not permit to read it. */
function variable(name: string): string | undefined {
  const { process, Deno } = globalThis as Globals
  // Deno throws without the permission, and before that it asks whoever sits at the terminal.
  const permitted = Deno?.permissions?.querySync({ name: 'env', variable: name }).state
  return permitted === undefined || permitted === 'granted' ? process?.env?.[name] : undefined
}
