import type { StoreError } from '@halt/core/store'

import { storeError, toStoreError } from './store-error.ts'

/**
 * Reads an answer of Upstash's REST protocol whose strings are base64. Returns the reply of Redis: integers, null, lists, texts,
 * and bytes where these are not UTF-8.
 *
 * @throws StoreError if the answer tells an error, or does not speak the protocol
 */
export function readRestAnswer(status: number, type: string | null, text: string): unknown {
  const answer = parsed(text)
  if (typeof answer?.error === 'string') throw errorOf(status, answer.error)
  if (status === 200 && answer !== undefined && 'result' in answer) return decoded(answer.result)
  throw strange(status, type ?? 'no content type', answer !== undefined)
}

interface Answer {
  readonly result?: unknown
  readonly error?: unknown
}

function parsed(text: string): Answer | undefined {
  try {
    const answer = JSON.parse(text) as unknown
    return typeof answer === 'object' && answer !== null && !Array.isArray(answer) ? answer : undefined
  } catch {
    return undefined
  }
}

function errorOf(status: number, text: string): StoreError {
  const error = toStoreError(new Error(text))
  // Whatever the service calls it, 401 refuses the token.
  if (status === 401) return storeError(text, 'rest-token', error.reply)
  if (BUDGET.test(text)) return storeError(text, 'rest-budget', error.reply)
  // Redis tells its error by a first word in capitals. Any other text comes from the service.
  return error.reply === undefined && status < 500 ? storeError(text, 'misconfigured') : error
}

// The service answers so when the plan's requests of a day or a second are used up.
const BUDGET = /^ERR max (?:daily |concurrent )?(?:requests?|bandwidth)\b.* exceeded/i

/** The error of an answer that is not the protocol's, such as the HTML page of a proxy. It never quotes the page. */
function strange(status: number, type: string, isJson: boolean): StoreError {
  const shape = isJson ? 'JSON of another protocol' : type.split(';')[0]
  const message = `The REST service answered with status ${status} and ${shape}`
  if (status === 401 || status === 403) return storeError(message, 'rest-token')
  if (status === 429) return storeError(message, 'rest-budget')
  return storeError(message, status >= 500 ? 'unavailable' : 'rest-url')
}

function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decoded)
  // The protocol leaves this one status as it is. Base64 is never of two characters.
  return typeof value === 'string' && value !== 'OK' ? fromBase64(value) : value
}

function fromBase64(text: string): string | Uint8Array {
  let binary: string
  try {
    binary = atob(text)
  } catch {
    throw storeError('The REST service answered with a text that is not base64', 'unexpected-reply')
  }
  const bytes = Uint8Array.from(binary, character => character.charCodeAt(0))
  try {
    return utf8.decode(bytes)
  } catch {
    return bytes
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
