import type { Quota } from '@halt/core'

import type { AnyLimiter, GivenPolicy, LimiterEntry } from '../options.ts'
import { isQuota } from './managers.ts'

/** A policy that the page can name in an act. */
export interface CataloguedPolicy {
  readonly name: string
  readonly algorithm: string
  readonly limit: number
  /** How long the window is, in seconds or as it was written; undefined for quotas and for requests in flight. */
  readonly window: string | number | undefined
  readonly isQuota: boolean
}

/** A policy as it was given, and its limiter. */
export interface FoundPolicy {
  readonly limiter: AnyLimiter
  readonly policy: GivenPolicy
}

/** The policies of all limiters, each name once. */
export class Catalogue {
  readonly #found = new Map<string, FoundPolicy>()

  constructor(limiters: readonly LimiterEntry[]) {
    for (const { limiter, policies } of limiters)
      for (const policy of policies)
        if (!this.#found.has(policy.name)) this.#found.set(policy.name, { limiter, policy })
  }

  find(name: string): FoundPolicy | undefined {
    return this.#found.get(name)
  }

  /** A quota by its name, and its limiter. */
  findQuota(name: string): { readonly limiter: AnyLimiter; readonly quota: Quota } | undefined {
    const found = this.#found.get(name)
    return found !== undefined && isQuota(found.policy)
      ? { limiter: found.limiter, quota: found.policy }
      : undefined
  }

  list(): CataloguedPolicy[] {
    return Array.from(this.#found.values(), ({ policy }) => ({
      name: policy.name,
      algorithm: isQuota(policy) ? 'quota' : (policy.algorithm ?? 'token-bucket'),
      limit: policy.limit,
      window: 'window' in policy ? (policy.window as string | number | undefined) : undefined,
      isQuota: isQuota(policy),
    }))
  }
}
