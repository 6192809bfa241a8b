import type { QuotaUsage } from '@halt/core'

/** An event of a quota. */
export type QuotaEventType = 'quota.threshold' | 'quota.exceeded'

/** The body of a webhook. */
export interface QuotaEvent {
  readonly type: QuotaEventType
  /** When it happened, as ISO 8601. */
  readonly timestamp: string
  readonly data: {
    readonly quota: string
    /** The owner of the counter, as decisions show it: `user:42`. API keys are digests. */
    readonly key: string
    readonly used: number
    /** Units that calls hold and have not used yet. */
    readonly held: number
    readonly remaining: number
    readonly limit: number
    readonly granted: number
    /** When the period ends. Unix seconds. */
    readonly resetAt: number
    /** The share that was reached, such as 0.8. Absent for `quota.exceeded`. */
    readonly threshold?: number
  }
}

/** Makes an event of a hook's arguments. */
export function quotaEvent(
  type: QuotaEventType,
  key: string,
  { name, used, held, remaining, limit, granted, resetAt }: QuotaUsage,
  threshold?: number,
): QuotaEvent {
  const data = { quota: name, key, used, held, remaining, limit, granted, resetAt }
  return {
    type,
    timestamp: new Date().toISOString(),
    data: threshold === undefined ? data : { ...data, threshold },
  }
}

/**
 * Names what happened, once per client, quota, period and threshold, whichever process tells of it. With another limit, or more units
 * granted, the same threshold is another event.
 */
export function identityOf({ type, data }: QuotaEvent): string {
  const { quota, key, resetAt, threshold, limit, granted } = data
  return JSON.stringify([type, quota, key, resetAt, threshold ?? null, limit, granted])
}

/** The id of an event's message: a digest, so that it is short and holds no name. */
export async function messageIdOf(identity: string): Promise<string> {
  const bytes = await globalThis.crypto.subtle.digest('SHA-256', new TextEncoder().encode(identity))
  const hex = Array.from(new Uint8Array(bytes, 0, 16), byte => byte.toString(16).padStart(2, '0'))
  return `msg_${hex.join('')}`
}
