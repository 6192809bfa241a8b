import { once } from 'node:events'
import { createServer } from 'node:net'

// Systems give ports above these to outgoing connections, of which tests have thousands: such a port may be taken at once.
const FIRST = 10_000
const LAST = 32_000

/** Finds a free port of 127.0.0.1. Another process may take it before the caller does, which is rare. */
export async function freePort() {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if (await isFree(port)) return port
  }
  throw new Error(`Found no free port from ${FIRST} to ${LAST}.`)
}

/** @param {number} port */
async function isFree(port) {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
