// The apps that the suite serves in a Worker.

/** Handles the requests of an app. */
export type Handler = (request: Request) => Response | Promise<Response>

/** An export of a Worker that gets requests. */
export interface Entrypoint {
  fetch(request: Request, env: unknown, context: ExecutionContext): Promise<Response>
}

interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void
}

// A test has at most so many apps at once.
const PORTS = 10
// How long a request goes on after its response, milliseconds. workerd allows 30 seconds.
const LIFE_MS = 20_000

/** The running apps by the number of their port. */
export const apps: (Handler | undefined)[] = Array.from({ length: PORTS }, () => undefined)

/** Makes the export that gets the requests of an app. */
export function portOf(port: number): Entrypoint {
  return {
    fetch: async (request, _env, context) => {
      // Work that goes on after the response would otherwise end with it.
      context.waitUntil(new Promise(resolve => void setTimeout(resolve, LIFE_MS)))
      return apps[port]?.(request) ?? new Response('no app', { status: 503 })
    },
  }
}
