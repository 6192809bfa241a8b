import { readId } from './identity.ts'

// Such a scheme alone has no credential: nobody's key is "Bearer".
const SCHEMES = /^(?:bearer|token|apikey)(?:[ \t]+(.+))?$/i
const ANY_SCHEME = /^[A-Za-z][A-Za-z0-9+._-]*[ \t]+\S/

/** The API key in an `Authorization` value: behind Bearer, Token or ApiKey, or the whole where there is no scheme. */
export function credential(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  const scheme = SCHEMES.exec(text)
  if (scheme !== null) return readId(scheme[1])
  return ANY_SCHEME.test(text) ? undefined : readId(text)
}
