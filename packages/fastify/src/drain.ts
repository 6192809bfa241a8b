import { drainApp, type DrainableServer, type DrainOptions, type DrainReport } from '@halt/core/http'

/** The part of a Fastify application that is ended here, whatever its server and types. */
export interface DrainableApp {
  readonly server: DrainableServer
  close(): unknown
}

/**
 * Ends a Fastify application and its limiters in good order: answers close their connections, idle connections are closed, and
 * running requests are awaited until the deadline. Then the application is closed with its hooks, and then the limiters.
 *
 * Requests that still come meanwhile get their normal answer. `app.close()` alone would answer them with 503
 * (`return503OnClosing`). A second call for the same application returns the promise of the first.
 *
 * @returns what was not in order. It rejects only for wrong arguments: `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`,
 * `HALT_E_DURATION`
 * @example
 * process.on('SIGTERM', () => void drain(app, { limiter, deadline: '10s' }))
 */
export function drain(app: DrainableApp, options: DrainOptions = {}): Promise<DrainReport> {
  return drainApp(app, app?.server, options, () => app.close())
}
