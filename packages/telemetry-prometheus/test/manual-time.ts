// Replaces the clocks and timers of a process before Halt reads them. A script imports it first.
interface Due {
  readonly at: number
  readonly run: () => void
}

let now = 0
let timers: Due[] = []
const turn = (): Promise<void> => new Promise(resolve => void setImmediate(resolve))

Object.assign(performance, { now: () => now })
Date.now = () => Math.floor(Date.UTC(2026, 10, 1) + now)
Object.assign(globalThis, {
  setTimeout(run: () => void, ms = 0) {
    const due = { at: now + ms, run, ref: () => due, unref: () => due }
    timers.push(due)
    return due
  },
  clearTimeout(due: unknown) {
    timers = timers.filter(timer => timer !== due)
  },
})

/** Lets time pass: each timer runs at its instant, and what it has woken runs before the next. */
export async function pass(ms: number): Promise<void> {
  const end = now + ms
  for (;;) {
    await turn()
    await turn()
    const [next] = timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
    if (next === undefined) break
    timers = timers.filter(timer => timer !== next)
    now = Math.max(now, next.at)
    next.run()
  }
  now = end
}
