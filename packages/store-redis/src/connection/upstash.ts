import { fromCaller, HaltError } from '@halt/core'
import { StoreError } from '@halt/core/store'
import type { ScriptSender } from './command-sender.ts'
import type { Run } from './connection.ts'
import { runScript } from './script-run.ts'
import { storeError, toStoreError } from './store-error.ts'

/**
 * The most bytes of an answer that are read. The longest right one holds the document of `Control`: a million characters of up to
 * three bytes, in base64.
 */
const MOST_BYTES = 8 * 2 ** 20

/**
 * Reads the text of an answer. A longer one than any right answer is cut off, and its connection closed: the limiter may have
 * decided long before, so nothing else would end it.
 *
 * @throws StoreError if the answer is too long
 */
async function answerText(response: Response): Promise<string> {
  const declared = Number(response.headers.get('content-length') ?? 0)
  if (declared > MOST_BYTES) {
    cutOff(response.body)
    throw tooLong()
  }
  const reader = response.body?.getReader()
  if (reader === undefined) return response.text()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > MOST_BYTES) {
      cutOff(reader)
      throw tooLong()
    }
    text += decoder.decode(value, { stream: true })
  }
}

function cutOff(body: Pick<ReadableStream, 'cancel'> | null): void {
  // Nobody waits for the end of the connection, which may never come.
  body?.cancel().catch(() => undefined)
}

function tooLong(): StoreError {
  return storeError(`The REST service answered with more than ${MOST_BYTES / 2 ** 20} MiB`, 'rest-url')
}

/**
 * Reads an answer of Upstash's REST protocol whose strings are base64. Returns the reply of Redis: integers, null, lists, texts,
 * and bytes where these are not UTF-8.
 *
 * @throws StoreError if the answer tells an error, or does not speak the protocol
 */
function readRestAnswer(status: number, type: string | null, text: string): unknown {
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

/**
 * The longest that a call may take until its answer is read, milliseconds. It only frees the sockets of a service that hangs: the limiter's
 * `storeTimeout` decides much earlier how long a request waits.
 */
const CALL_MS = 10_000

/**
 * Makes the `run` of a {@link RedisStore} that reaches Redis by Upstash's REST protocol, over `fetch`. It needs no TCP, so
 * it works in Workers and other isolates. A call is sent once, and again only if the server did not know the script.
 *
 * @param url the REST URL of the database, `https://…`
 * @param token its REST token; the read-only token cannot run scripts
 * @throws HaltError `HALT_E_STORE_OPTION`
 * @example
 * const store = new RedisStore({ run: upstash('https://name.upstash.io', token) })
 */
export function upstash(url: string, token: string): Run {
  const address = fromCaller(upstash, () => checked(url, token))
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    // The strings of the answer come as base64, because JSON cannot hold bytes that are not UTF-8.
    'upstash-encoding': 'base64',
  }
  const call = async (name: string, script: string, keys: readonly string[], args: readonly string[]) => {
    const body = JSON.stringify([name, script, String(keys.length), ...keys, ...args])
    return send(address, { method: 'POST', headers, body })
  }
  const sender: ScriptSender = {
    evalsha: (sha, keys, args) => call('EVALSHA', sha, keys, args),
    eval: (source, keys, args) => call('EVAL', source, keys, args),
  }
  return (script, keys, args) => runScript(sender, script, keys, args)
}

async function send(address: string, request: RequestInit): Promise<unknown> {
  const signal = AbortSignal.timeout(CALL_MS)
  try {
    // A redirected POST would be repeated without its body.
    const response = await fetch(address, { ...request, ...uncached(), redirect: 'manual', signal })
    return readRestAnswer(response.status, response.headers.get('content-type'), await answerText(response))
  } catch (error) {
    throw error instanceof StoreError ? error : failure(error, signal.aborted)
  }
}

// Next.js 14 caches a fetch that does not forbid it. Workers refuse the option unless their Request has it.
function uncached(): object {
  return 'cache' in Request.prototype ? { cache: 'no-store' } : {}
}

function failure(error: unknown, isLate: boolean): StoreError {
  if (isLate) return storeError(`The REST service did not answer within ${CALL_MS} ms`, 'timeout')
  // Node says only "fetch failed", and tells the reason in the cause.
  const { message = '', cause } = (error ?? {}) as { message?: string; cause?: unknown }
  const { code, message: reason = code } = (cause ?? {}) as { code?: string; message?: string }
  return storeError(
    `The REST service cannot be reached: ${reason || message || String(error)}`,
    'unavailable',
    undefined,
    cause instanceof Error ? cause : undefined,
  )
}

// No message repeats the URL or the token, because both may hold a secret.
function checked(url: unknown, token: unknown): string {
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    const given =
      token === undefined || token === '' ? 'upstash got no token.' : 'The token of upstash is not one.'
    throw new HaltError(
      'HALT_E_STORE_OPTION',
      given,
      'Give the REST token of the database: upstash(url, token).',
    )
  }
  const address = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  if (address === undefined || !/^https?:$/.test(address.protocol) || address.username || address.password) {
    throw new HaltError(
      'HALT_E_STORE_OPTION',
      'The url of upstash is not an HTTP address.',
      'Give the REST URL of the database, such as https://name.upstash.io, and not the redis:// one.',
    )
  }
  return address.href
}
