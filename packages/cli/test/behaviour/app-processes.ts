import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

import { processScript } from '../../../../tools/process-script.ts'

/** Processes of one application, each of which listens on a port of its own. */
export interface AppProcesses {
  readonly ports: readonly number[]
  stop(): Promise<void>
}

/** Starts an application several times. Each process prints its port first. */
export async function startProcesses(
  entry: URL,
  count: number,
  args: readonly string[],
): Promise<AppProcesses> {
  const app = await processScript(entry)
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, [app.path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  const ports: number[] = []
  for (const { stdout } of children) {
    const [port] = (await once(createInterface({ input: stdout }), 'line')) as [string]
    ports.push(Number(port))
  }
  return {
    ports,
    async stop() {
      for (const child of children) child.kill()
      await app.remove()
    },
  }
}
