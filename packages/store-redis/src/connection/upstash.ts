import { fromCaller, HaltError } from '@halt/core'
import { StoreError } from '@halt/core/store'

import { answerText } from './answer-text.ts'
import type { ScriptSender } from './command-sender.ts'
import type { Run } from './connection.ts'
import { readRestAnswer } from './rest-answer.ts'
import { runScript } from './script-run.ts'
import { storeError } from './store-error.ts'

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
