import { setTimeout as sleep } from 'node:timers/promises'

const loops = new WeakMap<object, { stopped: boolean; ended: Promise<void> }>()

/** Repeats something until {@link stop}. */
export function every(world: object, ms: number, what: () => Promise<unknown>): void {
  const loop = { stopped: false, ended: Promise.resolve() }
  loops.set(world, loop)
  loop.ended = (async () => {
    while (!loop.stopped) {
      await what()
      await sleep(ms)
    }
  })()
  // `stop` rejects with the error.
  loop.ended.catch(() => {})
}

/** Stops what {@link every} repeats. */
export async function stop(world: object): Promise<void> {
  const loop = loops.get(world)
  if (loop === undefined) return
  loop.stopped = true
  await loop.ended
}
