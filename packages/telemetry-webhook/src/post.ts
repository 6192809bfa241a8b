import { messageOf } from '@halt/core/http'

import type { CheckedOptions } from './options.ts'

/** The result of one attempt. */
export interface Attempt {
  /** `refused`: the receiver does not want this event, and would not the next time. `gone`: it asks for no more events (410). */
  readonly result: 'taken' | 'failed' | 'refused' | 'gone'
  readonly why: string
}

/** Signs a body and posts it once. Never rejects. @param timeoutMs how long the answer may take */
export async function post(
  id: string,
  body: string,
  { url, signer, headers }: CheckedOptions,
  timeoutMs: number,
): Promise<Attempt> {
  try {
    // Signed anew at each attempt, because receivers refuse signatures that are older than five minutes.
    const now = new Date()
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch(url, {
      method: 'POST',
      // A redirect would send the event to an address that nobody has configured.
      redirect: 'manual',
      signal,
      headers: {
        'content-type': 'application/json',
        ...headers,
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': signer.sign(id, now, body),
      },
      body,
    })
    // The answer's body is not read, so that a receiver cannot fill the memory.
    await response.body?.cancel()
    if (response.ok) return { result: 'taken', why: '' }
    const why = `it answered ${response.status}`
    return { result: resultOf(response.status), why }
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    return { result: 'failed', why: messageOf(cause ?? error) || 'the call failed' }
  }
}

/** Statuses of 4xx by which a receiver asks for the same event later. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429])

function resultOf(status: number): Attempt['result'] {
  if (status === 410) return 'gone'
  return status >= 400 && status < 500 && !LATER.has(status) ? 'refused' : 'failed'
}
