import type { Decision, DecisionMetadata } from '@halt/core'
import { type Attributes, trace } from '@opentelemetry/api'

/** Adds an event for a decision to the active span: `halt.blocked`, `halt.shadow_blocked` or `halt.allowed`. Never a key. */
export function noteDecision(decision: Decision, metadata: DecisionMetadata, policy: string): void {
  const { reason, limit, remaining, retryAfter, cost, degraded } = decision
  note(`halt.${metadata.outcome}`, {
    'halt.policy': policy,
    'halt.algorithm': metadata.algorithm,
    'halt.reason': reason,
    'halt.limit': limit,
    'halt.remaining': remaining,
    'halt.cost': cost,
    ...(Number.isFinite(retryAfter) ? { 'halt.retry_after': retryAfter } : {}),
    ...(degraded === false ? {} : { 'halt.degraded': degraded }),
  })
}

/** Adds an event for a failure of the store to the active span. */
export function noteStoreError(store: string, failure: string): void {
  note('halt.store.error', { 'halt.store': store, 'error.type': failure })
}

function note(name: string, attributes: Attributes): void {
  trace.getActiveSpan()?.addEvent(name, attributes)
}
