import type { Digest } from '../base/digest.ts'
import type { Warn } from '../base/warnings.ts'
import type { ClientIp } from './client-ip.ts'
import type { KeyMaker } from './key-maker.ts'

/** The settings of a limiter that say how it finds a request's address, user and API key. */
export interface CallerSettings {
  readonly clientIp: ClientIp
  readonly resolveIp: ((request: never, context?: unknown) => string | undefined) | undefined
  readonly userId: ((request: never, context?: unknown) => unknown) | undefined
  readonly apiKey: ((request: never, context?: unknown) => unknown) | undefined
  readonly digest: Digest
  readonly keys: KeyMaker
  readonly warn: Warn
}
