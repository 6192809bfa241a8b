import type { Policy } from '@halt/core'

/** Messages on a socket: 3 in 10 seconds an address. */
export const MESSAGES: Policy = { name: 'messages', limit: 3, window: '10s' }

/** What the service renders for other services, all together: 2 in 10 seconds. */
export const RENDERS: Policy = { name: 'renders', limit: 2, window: '10s', keyStrategy: 'shared' }
