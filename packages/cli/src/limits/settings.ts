import { HaltError, type RateLimiterOptions } from '@halt/core'

/** How an application names its counters. Its limiters and its store get the same. */
export interface FileSettings {
  /** The prefix of the store. */
  readonly prefix?: string | undefined
  /** The secret of the limiters, by which API keys become digests. */
  readonly secret?: string | undefined
  readonly ipv6Prefix?: number | undefined
  /** The function by which the application verifies API keys. Their counters then have no ceiling per address. */
  readonly apiKey?: RateLimiterOptions['apiKey']
}

const CHECKS: Readonly<Record<keyof FileSettings, (value: unknown) => boolean>> = {
  prefix: value => typeof value === 'string',
  secret: value => typeof value === 'string' && value !== '',
  ipv6Prefix: value => Number.isInteger(value),
  apiKey: value => typeof value === 'function',
}
const MEANT: Readonly<Record<keyof FileSettings, string>> = {
  prefix: 'a text',
  secret: 'a text',
  ipv6Prefix: 'a whole number',
  apiKey: 'a function',
}

/** Reads the export `settings` of a limits file. @throws HaltError `HALT_E_POLICY_MODULE` */
export function readSettings(value: unknown, file: string): FileSettings {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(`The settings of ${file} are not an object.`)
  for (const [name, given] of Object.entries(value)) {
    if (given === undefined) continue
    if (!Object.hasOwn(CHECKS, name)) throw wrong(`The settings of ${file} have an unknown field "${name}".`)
    // The value may be a secret, so the message does not repeat it.
    if (!CHECKS[name as keyof FileSettings](given))
      throw wrong(`${name} in the settings of ${file} is not ${MEANT[name as keyof FileSettings]}.`)
  }
  return value
}

function wrong(message: string): HaltError {
  return new HaltError(
    'HALT_E_POLICY_MODULE',
    message,
    'Write export const settings = { prefix: "shop:", secret: process.env.HALT_SECRET, ipv6Prefix: 56, apiKey: verify }; each field may be absent.',
  )
}
