import type { Quota } from '@halt/core'

/** The exports that a customer may make in a month. */
export const QUOTA: Quota = { name: 'exports', limit: 10_000, period: 'monthly', keyStrategy: 'user' }

/** The customer who uses it. */
export const CUSTOMER = { user: '42' }

/** Where a process counts: in a file that all processes share, or in its own memory. */
export type Place = { readonly path: string } | 'memory'
