import type { Opened } from './contestants/contestant.ts'
import { runChecks } from './contestants/databases.ts'
import { serverCpu } from './server-processes.ts'

/** One stretch of checks with a fixed number in flight. */
export interface Stretch {
  /** Checks per second of wall time. */
  readonly rate: number
  /** The CPU time of the server, in microseconds per check. */
  readonly server: number
}

/**
 * Makes checks with a fixed number in flight, of one key after the other.
 *
 * @param pid the server's first process
 */
export async function stretch(
  opened: Opened<unknown>,
  keys: readonly string[],
  flight: number,
  count: number,
  pid: number,
): Promise<Stretch> {
  const cpu = serverCpu(pid)
  const started = performance.now()
  await runChecks(opened, keys, flight, count)
  const wall = performance.now() - started
  return { rate: (count / wall) * 1000, server: (serverCpu(pid) - cpu) / count }
}
