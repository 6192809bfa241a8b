/** The CPU time of this process so far, over all threads, in nanoseconds. */
export function cpuNanos(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

/** The median; for an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper
}

/** The value below which a share of the values lies. */
export function quantile(values: Iterable<number>, share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(share * sorted.length)] ?? Number.NaN
}

/** Runs `work` for a number of steps, and returns the CPU time per step in nanoseconds. */
export async function cpuPerStep(steps: number, work: () => unknown): Promise<number> {
  const before = cpuNanos()
  await work()
  return (cpuNanos() - before) / steps
}
