import { callForId, readId } from '../base/callbacks.ts'
import type { CallerSettings } from './caller-settings.ts'
import { apiKeySubject, type FoundKey } from './identity.ts'
import { readHeader } from './headers.ts'
import type { RequestView } from './view.ts'

/** The API key of a request, as its digest; undefined when it has none. */
export function findApiKey(
  { headers, request, context }: RequestView,
  { apiKey, digest, warn }: CallerSettings,
): FoundKey | undefined {
  if (apiKey !== undefined) {
    const verified = callForId(warn, 'apiKey', () => apiKey(request as never, context))
    // Whoever verifies keys has said, when it is undefined, that this request has none.
    return verified === undefined
      ? undefined
      : { subject: apiKeySubject(verified, digest), how: 'the verified API key', unverified: false }
  }
  const header = readId(one(readHeader(headers, 'x-api-key')))
  const key = header ?? credential(one(readHeader(headers, 'authorization')))
  if (key === undefined) return undefined
  const how = header === undefined ? 'the Authorization header, unverified' : 'X-API-Key, unverified'
  return { subject: apiKeySubject(key, digest), how, unverified: true }
}

// Such a scheme alone has no credential: nobody's key is "Bearer".
const SCHEMES = /^(?:bearer|token|apikey)(?:[ \t]+(.+))?$/i
const ANY_SCHEME = /^[A-Za-z][A-Za-z0-9+._-]*[ \t]+\S/

/** The API key in an `Authorization` value: behind Bearer, Token or ApiKey, or the whole where there is no scheme. */
function credential(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  const scheme = SCHEMES.exec(text)
  if (scheme !== null) return readId(scheme[1])
  return ANY_SCHEME.test(text) ? undefined : readId(text)
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}
