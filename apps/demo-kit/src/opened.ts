import { setTimeout as sleep } from 'node:timers/promises'

import type { RateLimiterOptions } from '@halt/core'

/** Waits until a store answers. Until then a process would count by itself. */
export async function opened(store: RateLimiterOptions['store']): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await store.probe?.()
      return
    } catch (error) {
      if (attempt === 200) throw error
      await sleep(25)
    }
  }
}
