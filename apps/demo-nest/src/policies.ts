import type { Policy } from '@halt/core'

/** Messages on sockets: 3 in 10 seconds per address. */
export const MESSAGES: Policy = { name: 'messages', limit: 3, window: '10s' }

/** Messages of other services, all together: 2 in 10 seconds. */
export const RENDERS: Policy = { name: 'renders', limit: 2, window: '10s', keyStrategy: 'shared' }
