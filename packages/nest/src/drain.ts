import {
  type Closable,
  drainApp,
  type DrainableServer,
  type DrainOptions,
  type DrainReport,
} from '@halt/core/http'
import type { INestApplication } from '@nestjs/common'

import type { HaltApplication } from './module/application.ts'
import { APPLICATION } from './base/tokens.ts'

/**
 * Ends a Nest application and its limiters in good order: answers close their connections, idle connections are closed, and
 * running requests are awaited until the deadline. Then the application is closed with its hooks, and then the limiters of
 * `HaltModule`, and their store.
 *
 * Do not call `app.enableShutdownHooks()` as well, because it closes the application at once. A second call for the same
 * application returns the promise of the first.
 *
 * @param options `limiter`: other limiters that the process uses
 * @returns what was not in order. It rejects only for wrong arguments: `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`,
 * `HALT_E_DURATION`
 * @example
 * process.on('SIGTERM', () => void drain(app, { deadline: '10s' }))
 */
export function drain(app: INestApplication, options: DrainOptions = {}): Promise<DrainReport> {
  const server = app?.getHttpServer?.() as DrainableServer
  return drainApp(app, server, options, () => app.close(), limitersOf(app))
}

/** The limiters of `HaltModule`; none if the application does not use it. */
function limitersOf(app: INestApplication): readonly Closable[] {
  try {
    return app.get<HaltApplication>(APPLICATION, { strict: false }).runtime.limiters
  } catch {
    return []
  }
}
