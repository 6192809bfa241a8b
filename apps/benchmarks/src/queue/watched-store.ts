import type { Store } from '@halt/core/store'

/** A store whose calls are counted and timed. */
export interface WatchedStore {
  readonly store: Store
  /** The number of groups that the store has decided. */
  readonly calls: () => number
  /** The longest call, in milliseconds. */
  readonly longestCall: () => number
  /** Forgets all calls so far. */
  readonly forget: () => void
}

/** Watches a store. */
export function watched(inner: Store): WatchedStore {
  let calls = 0
  let longest = 0
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'evaluate') {
        return (...args: Parameters<Store['evaluate']>) => {
          calls++
          const began = performance.now()
          const answer = target.evaluate(...args)
          if ('then' in answer)
            answer.then(() => (longest = Math.max(longest, performance.now() - began))).catch(() => {})
          return answer
        }
      }
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const forget = (): void => {
    calls = 0
    longest = 0
  }
  return { store, calls: () => calls, longestCall: () => longest, forget }
}
