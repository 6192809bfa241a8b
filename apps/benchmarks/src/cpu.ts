/** The CPU time this process has taken so far, all its threads, nanoseconds. */
export function cpuNanos(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper
}

/** Counts up: one step of work is in `work`, its CPU time a step comes back, nanoseconds. */
export async function cpuPerStep(steps: number, work: () => unknown): Promise<number> {
  const before = cpuNanos()
  await work()
  return (cpuNanos() - before) / steps
}
