import { runChild } from '../child.ts'
import type { Found } from '../found.ts'
import { appOf, contestantsOf, LIMITERS } from '../scenes.ts'
import { addedMisses, countMisses, totalOf } from './misses.ts'

/** The numbers per request that are the same in each run: of the bare apps, and what each limiter adds. */
export interface Counts {
  readonly missesOfBare: Found
  readonly missesAdded: Found
  /** The properties that a limiter makes the inline caches miss. */
  readonly missedBy: ReadonlyMap<string, readonly string[]>
  readonly bytesOfBare: Found
  readonly bytesAdded: Found
  /** The bytes that one `limiter.check` allocates. */
  readonly bytesOfCheck: number
}

/** The rounds before the bytes are counted; of `limiter.check`, the checks. */
const WARM = { http: 80, check: 20_000 }
const SEMI_SPACE = ['--expose-gc', '--max-semi-space-size=128', '--min-semi-space-size=128']

/** Counts the inline-cache misses and the allocated bytes of each app whose handler answers at once. */
export async function measureCounts(): Promise<Counts> {
  const missesOfBare = new Map<string, number>()
  const missesAdded = new Map<string, number>()
  const missedBy = new Map<string, readonly string[]>()
  const bytesOfBare = new Map<string, number>()
  const bytesAdded = new Map<string, number>()
  for (const framework of Object.keys(LIMITERS)) {
    const keyOf = (limiter: string): string => `${framework} ${limiter} at once`
    const [misses, bytes] = await both(framework, 'bare')
    missesOfBare.set(keyOf('bare'), totalOf(misses))
    bytesOfBare.set(keyOf('bare'), bytes)
    for (const limiter of contestantsOf(framework, 'at once')) {
      const [withIt, bytesWithIt] = await both(framework, limiter)
      const { count, names } = addedMisses(misses, withIt)
      missesAdded.set(keyOf(limiter), count)
      missedBy.set(keyOf(limiter), names)
      bytesAdded.set(keyOf(limiter), bytesWithIt - bytes)
    }
  }
  const bytesOfCheck = await bytesOf('check', WARM.check)
  return { missesOfBare, missesAdded, missedBy, bytesOfBare, bytesAdded, bytesOfCheck }
}

// At the same time, because no other work of the machine changes either of them.
function both(
  framework: string,
  limiter: string,
): Promise<[Awaited<ReturnType<typeof countMisses>>, number]> {
  const app = appOf(framework, limiter, 'at once')
  return Promise.all([countMisses(app), bytesOf(JSON.stringify(app), WARM.http)])
}

async function bytesOf(work: string, warm: number): Promise<number> {
  const found = await runChild<{ bytes: number }>('inprocess/bytes-run.js', [work, String(warm)], SEMI_SPACE)
  return found.bytes
}
