import { callForId, readId } from '../base/callbacks.ts'
import type { CallerSettings } from './caller-settings.ts'
import type { FoundKey } from './subject.ts'
import { readHeader } from './headers.ts'
import type { RequestView } from './view.ts'

/** Finds the API key of a request. The result holds its digest; undefined if the request has no key. */
export function findApiKey(
  { headers, request, context }: RequestView,
  { apiKey, keys, warn }: CallerSettings,
): FoundKey | undefined {
  if (apiKey !== undefined) {
    const verified = callForId(warn, 'apiKey', () => apiKey(request as never, context))
    // The application verifies keys, so undefined means that this request has no key.
    return verified === undefined
      ? undefined
      : { subject: keys.apiKey(verified), how: 'the verified API key', unverified: false }
  }
  const header = readId(firstLine(readHeader(headers, 'x-api-key')))
  const key = header ?? keyIn(firstLine(readHeader(headers, 'authorization')))
  if (key === undefined) return undefined
  const how = header === undefined ? 'the Authorization header, unverified' : 'X-API-Key, unverified'
  return { subject: keys.apiKey(key), how, unverified: true }
}

// A scheme without a credential is not a key: nobody has the key "Bearer".
const SCHEMES = /^(?:bearer|token|apikey)(?:[ \t]+(.+))?$/i
const ANY_SCHEME = /^[A-Za-z][A-Za-z0-9+._-]*[ \t]+\S/

/** The API key in an `Authorization` value: the text after Bearer, Token or ApiKey, or the whole text if it has no scheme. */
function keyIn(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  const scheme = SCHEMES.exec(text)
  if (scheme !== null) return readId(scheme[1])
  return ANY_SCHEME.test(text) ? undefined : readId(text)
}

function firstLine(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}
