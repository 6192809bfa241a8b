import type { Opened } from './contestants/contestant.ts'
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
  let sent = 0
  const worker = async (): Promise<void> => {
    while (sent < count) {
      const key = keys[sent++ % keys.length] as string
      if (!opened.admits(await opened.ask(key))) throw new Error('A check was refused')
    }
  }
  await Promise.all(Array.from({ length: flight }, worker))
  const wall = performance.now() - started
  return { rate: (count / wall) * 1000, server: (serverCpu(pid) - cpu) / count }
}
