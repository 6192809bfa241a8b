import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the ports that systems give to outgoing connections, which would take the port of a process that is being replaced.
const [LOWEST, HIGHEST] = [12_000, 31_000]

/** Finds a port of 127.0.0.1 that stays free while no server listens on it. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    const server = createServer()
    const isFree = once(server.listen(port, '127.0.0.1'), 'listening').then(
      () => true,
      () => false,
    )
    if (!(await isFree)) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
