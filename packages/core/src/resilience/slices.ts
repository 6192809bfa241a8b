import { eventLoop } from '../base/event-loop.ts'

/** So many calls are made in one turn of the event loop at most, which takes some ten milliseconds. */
export const SLICE = 500

/** Resolves in a later turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => eventLoop.afterRead(resolve))
}

/**
 * Waits for calls that can fail independently, such as calls to the nodes of a cluster. Rejects only if all of them failed.
 */
export async function settled(calls: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(calls)
  const failed = results.filter(result => result.status === 'rejected')
  if (failed.length > 0 && failed.length === calls.length) throw failed[0]?.reason as Error
}
