import type { ProcessReport } from './report-list.ts'

/** How far apart the clocks of two processes may be before a first look misjudges a report, in milliseconds. */
const CLOCK_TOLERANCE_MS = 60_000

interface Sign {
  readonly at: number
  readonly seenAt: number
}

/**
 * Says which processes still write their reports. It compares the times of a process only with each other, so clocks that are apart
 * do not matter. At the first look at a report it knows nothing else, and compares with its own clock, with a tolerance of a minute.
 */
export class LifeSigns {
  readonly #staleMs: number
  #signs = new Map<string, Sign>()

  /** @param staleMs how long a process may be silent, in milliseconds */
  constructor(staleMs: number) {
    this.#staleMs = staleMs
  }

  /** The reports of the processes that are alive. */
  alive(reports: readonly ProcessReport[], now: number = Date.now()): readonly ProcessReport[] {
    const signs = new Map<string, Sign>()
    const alive = reports.filter(({ process, at }) => {
      const known = this.#signs.get(process)
      if (known?.at === at) {
        signs.set(process, known)
        return now - known.seenAt <= this.#staleMs
      }
      const isOld = known === undefined && Math.abs(now - at) > this.#staleMs + CLOCK_TOLERANCE_MS
      signs.set(process, { at, seenAt: isOld ? Number.NEGATIVE_INFINITY : now })
      return !isOld
    })
    this.#signs = signs
    return alive
  }
}
