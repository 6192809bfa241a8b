import type { Store } from '../../src/databases/index.ts'

/** A store that decides at once, and answers after some milliseconds. */
export function answering(store: Store, ms: number): Store {
  const later = async <T>(answer: T | Promise<T>): Promise<T> => {
    if (ms > 0) await new Promise(resolve => void setTimeout(resolve, ms))
    return answer
  }
  return {
    clock: () => store.clock?.(),
    evaluate: async group => later(store.evaluate(group)),
    forget: async counters => later(store.forget(counters)),
    document: name => store.document!(name),
  }
}
