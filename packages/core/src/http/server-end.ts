import { eventLoop, type Timer } from '../base/event-loop.ts'

/** A server of Node: of `node:http`, `node:https` or `node:http2`. */
export interface DrainableServer {
  close(callback?: (error?: Error) => void): unknown
  prependListener(
    event: 'request' | 'connection',
    listener: (first: unknown, second: unknown) => void,
  ): unknown
  removeListener(
    event: 'request' | 'connection',
    listener: (first: unknown, second: unknown) => void,
  ): unknown
  getConnections?(callback: (error: Error | null, count: number) => void): unknown
  closeIdleConnections?(): void
  closeAllConnections?(): void
}

/** The part of Node's response that ends its connection, of HTTP/1 or HTTP/2. */
interface LastResponse {
  readonly headersSent: boolean
  readonly stream?: { readonly session?: { close(): void } | undefined } | undefined
  setHeader(name: string, value: string): unknown
}

// A proxy may be sending a request on an idle connection while this process closes it, and answers that client with 502. So
// connections in use get this long to carry one more answer, which tells the proxy to close.
const POLITE_MS = 500
const SWEEP_MS = 100
const SHORT_TURN_MS = 0.5
// After this time the process counts as busy, and no turn is short.
const BUSY_MS = 100
// The connections that were destroyed have ended by then.
const DESTROY_MS = 250

/**
 * Ends a server in good order. It listens no more. Each answer from now on closes its connection, and connections that stay idle
 * are closed. Those that are left at the deadline are destroyed, if Node's server can: not those of HTTP/2.
 *
 * @param deadlineMs the longest wait, in milliseconds
 * @returns how many connections were left at the deadline
 */
export async function endServer(server: DrainableServer, deadlineMs: number): Promise<number> {
  const timers = new Set<Timer | number>()
  const after = (ms: number, callback: () => void): void => {
    const timer = eventLoop.after(ms, () => {
      timers.delete(timer)
      callback()
    })
    timers.add(timer)
  }
  server.prependListener('request', lastOfConnection)
  // Node closes idle connections of HTTP/2 since version 24. Before, Fastify has this method if forceCloseConnections is set. It
  // lets running requests end.
  ;(server as { closeHttp2Sessions?: () => void }).closeHttp2Sessions?.()
  try {
    await quietTurn(server, deadlineMs / 4)
    const ended = new Promise<true>(resolve => stopListening(server, () => resolve(true)))
    // A timer runs before the sockets are read, so a connection whose request this process has not read yet would look idle.
    const sweepAfter = (ms: number): void =>
      after(ms, () => {
        eventLoop.afterRead(() => server.closeIdleConnections?.())
        sweepAfter(SWEEP_MS)
      })
    sweepAfter(Math.min(POLITE_MS, deadlineMs / 4))
    const late = new Promise<false>(resolve => after(deadlineMs, () => resolve(false)))
    if (await Promise.race([ended, late])) return 0
    const forced = await countOf(server)
    server.closeAllConnections?.()
    await Promise.race([ended, new Promise<void>(resolve => after(DESTROY_MS, resolve))])
    return forced
  } finally {
    server.removeListener('request', lastOfConnection)
    for (const timer of timers) eventLoop.cancel(timer)
  }
}

/** Makes the answer to a request the last one of its connection. */
function lastOfConnection(_request: unknown, given: unknown): void {
  const response = given as LastResponse
  // HTTP/2 has no such header: GOAWAY tells the client, and running requests of the connection end.
  if (response.stream !== undefined) response.stream.session?.close()
  else if (!response.headersSent) response.setHeader('Connection', 'close')
}

/**
 * Waits for a turn of the event loop in which no connection came, and that was short if possible. Connections that the system
 * has opened and this process has not accepted yet are reset when the server stops listening. A process accepts one per turn.
 */
async function quietTurn(server: DrainableServer, mostMs: number): Promise<void> {
  let came = 0
  const note = (): void => void came++
  server.prependListener('connection', note)
  const read = (): Promise<void> => new Promise(done => eventLoop.afterRead(done))
  const began = eventLoop.now()
  // A signal comes within a turn, and only a whole one counts.
  await read()
  for (;;) {
    const before = came
    const turn = eventLoop.now()
    await read()
    const now = eventLoop.now()
    const isShort = now - turn < SHORT_TURN_MS || now - began > BUSY_MS
    if ((came === before && isShort) || now - began > mostMs) break
    if (came === before) await new Promise<void>(done => void eventLoop.after(1, done))
  }
  server.removeListener('connection', note)
}

/** Stops listening. Node also closes idle connections at once, which is too early here. */
function stopListening(server: DrainableServer, ended: () => void): void {
  const own = Object.getOwnPropertyDescriptor(server, 'closeIdleConnections')
  Object.defineProperty(server, 'closeIdleConnections', { configurable: true, value: () => {} })
  try {
    // It calls back with an error if the server does not listen any more, when its last connection has ended.
    server.close(ended)
  } finally {
    if (own === undefined) delete server.closeIdleConnections
    else Object.defineProperty(server, 'closeIdleConnections', own)
  }
}

function countOf(server: DrainableServer): Promise<number> {
  return new Promise(resolve => {
    if (server.getConnections === undefined) return resolve(0)
    server.getConnections((error, count) => resolve(error === null ? count : 0))
  })
}
