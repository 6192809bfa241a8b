import { type Policy, RateLimiter, type Store } from '@halt/core'

import { guardTools, type ToolGuard, type ToolSettings } from '../src/index.ts'

/** Limits that give nothing back while a test runs. */
const daily = (name: string, limit: number) =>
  ({ name, limit, window: '1d', algorithm: 'sliding-window', keyStrategy: 'user' }) as const satisfies Policy

export const USERS = ['ann', 'ben', 'cleo', 'dan']
export const MAILS = 20
export const PER_USER = 150
export const ALL = 500
/** What each process asks for: more than any limit has. */
export const CALLS = 640

const tools: Record<string, ToolSettings> = {
  send_mail: { ...daily('tool_send_mail', MAILS), chargeWhen: ({ failed }) => !failed },
  search: {},
}

/** The limiter and the guard of a process among several. */
export function crowd(store: Store): { readonly limiter: RateLimiter; readonly guard: ToolGuard<string> } {
  const limiter = new RateLimiter({
    store,
    policy: [daily('tool_calls', PER_USER), { ...daily('everybody', ALL), keyStrategy: 'shared' }],
    // A busy machine must not let a process decide without the store.
    storeTimeout: '60s',
  })
  return { limiter, guard: guardTools({ limiter, who: ({ context }) => ({ user: context }), tools }) }
}
