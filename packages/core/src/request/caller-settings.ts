import type { Digest } from '../base/digest.ts'
import type { Warn } from '../base/errors.ts'
import type { ClientIp } from './client-ip.ts'

/** How a limiter finds out who asks. */
export interface CallerSettings {
  readonly clientIp: ClientIp
  readonly resolveIp: ((request: never, context?: unknown) => string | undefined) | undefined
  readonly userId: ((request: never, context?: unknown) => unknown) | undefined
  readonly apiKey: ((request: never, context?: unknown) => unknown) | undefined
  readonly digest: Digest
  readonly warn: Warn
}
