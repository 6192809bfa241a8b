import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Caller } from '../request/caller.ts'

/** Watches the keys that extractors return. */
export interface KeyWatcher {
  /** Whether a policy needs no further observation. */
  isDone(policy: Pick<CompiledPolicy, 'name'>): boolean
  /** Observes a key as the extractor returned it. */
  observe(policy: Pick<CompiledPolicy, 'name'>, caller: Caller, key: unknown): void
}
