import type { ControlEntry } from '@halt/control'
import type { StoreDocument } from '@halt/core/store'

/** The most entries that a control document holds. */
export const ENTRIES = 10_000

/** Blocks of networks, each of 16 addresses, beside each other from 10.0.0.0. No request of a benchmark comes from one. */
export function networks(): readonly ControlEntry[] {
  return Array.from({ length: ENTRIES }, (_, i) => {
    const bits = i * 16
    return { kind: 'block', target: `10.${bits >> 16}.${(bits >> 8) & 255}.${bits & 255}/28`, at: 1 }
  })
}

/** Numbers of customers for the policy `per_user`. No request of a benchmark comes from one. */
export function overrides(): readonly ControlEntry[] {
  return Array.from({ length: ENTRIES }, (_, i) => ({
    kind: 'override',
    target: `user:customer-${i}`,
    policy: 'per_user',
    numbers: { limit: 5_000 },
    at: 1,
  }))
}

/** Blocks of users. */
export function users(): readonly ControlEntry[] {
  return Array.from({ length: ENTRIES }, (_, i) => ({ kind: 'block', target: `user:customer-${i}`, at: 1 }))
}

/** Writes entries into a document, as an operator's process would have. */
export async function put(document: StoreDocument, entries: readonly ControlEntry[]): Promise<void> {
  const { version } = (await document.read()) ?? { version: '0' }
  await document.write(JSON.stringify({ halt: 1, entries }), version)
}
