import { BoundedMap } from '../base/bounded-map.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { isSamePolicy } from '../policy/duplicates.ts'
import type { Warn } from '../base/warnings.ts'
import type { Store } from '../store/contract.ts'

// A service builds its limiters when it starts: so many with one policy are built by requests.
const MANY = 100
const MOST_NAMES = 10_000

const built = new BoundedMap<number>(MOST_NAMES)
const stores = new WeakMap<Store, BoundedMap<CompiledPolicy>>()

/** Counts a new limiter among those of this process; warns of one built per request, and of one name for two policies. */
export function enrol(policies: readonly CompiledPolicy[], store: Store, warn: Warn): void {
  const [first] = policies
  if (first === undefined) return
  noticeCrowd(first.name, warn)
  let known = stores.get(store)
  if (known === undefined) stores.set(store, (known = new BoundedMap(MOST_NAMES)))
  for (const policy of policies) {
    const before = known.get(policy.name)
    if (before !== undefined && !isAlike(before, policy)) noticeConflict(before, policy, warn)
    known.set(policy.name, policy)
  }
}

function noticeCrowd(name: string, warn: Warn): void {
  const count = (built.get(name) ?? 0) + 1
  built.set(name, count)
  if (count !== MANY) return
  warn({
    code: 'HALT_W_LIMITER_PER_REQUEST',
    message: `${MANY} limiters with the policy "${name}" were built in this process.`,
    fix: 'Build a limiter once, outside the handler, and use it for all requests: one with a store of its own counts nothing else.',
  })
}

function noticeConflict(before: CompiledPolicy, now: CompiledPolicy, warn: Warn): void {
  warn({
    code: 'HALT_W_POLICY_CONFLICT',
    message: `Two limiters on one store have a policy "${now.name}" with different numbers: ${numbersOf(before)}, and ${numbersOf(now)}.`,
    fix: 'They count on one counter: give one of them another name, or both the same numbers.',
  })
}

function isAlike(a: CompiledPolicy, b: CompiledPolicy): boolean {
  // Of another counter: they do not meet.
  return a.rule('').counter !== b.rule('').counter || isSamePolicy(a, b)
}

function numbersOf({ limit, capacity, window }: CompiledPolicy): string {
  return `${limit} in ${window / 1e6} s${capacity === limit ? '' : `, bursts of ${capacity}`}`
}
