import type { Store } from '../../src/databases/index.ts'

/** A store that decides at once, and answers after some milliseconds, or turns of the event loop. */
export function answering(store: Store, wait: number | { readonly turns: number }): Store {
  const later = async <T>(answer: T | Promise<T>): Promise<T> => {
    if (typeof wait === 'object') await turns(wait.turns)
    else if (wait > 0) await new Promise(resolve => void setTimeout(resolve, wait))
    return answer
  }
  return {
    clock: () => store.clock?.(),
    evaluate: async group => later(store.evaluate(group)),
    forget: async counters => later(store.forget(counters)),
    document: name => store.document!(name),
  }
}

/** Turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => void setImmediate(resolve))
}
