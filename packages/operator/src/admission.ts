import { HaltError, type Warn } from '@halt/core'
import { messageOf } from '@halt/core/http'

import { json, shownError } from './answer.ts'
import { inTime } from './in-time.ts'
import type { Authorize } from './options.ts'

/** How long `authorize` may take, in milliseconds. */
const PATIENCE_MS = 5_000

/** The longest name of an operator that the history keeps whole. */
const LONGEST_NAME = 200

/**
 * Asks who sends a request. Resolves to the name, or to the answer that refuses.
 *
 * @param warn is told why `authorize` failed. The answer does not say it, because anybody may get it, and errors name hosts and passwords
 */
export async function admit<C>(
  authorize: Authorize<C>,
  request: Request,
  context: C,
  warn: Warn,
): Promise<string | Response> {
  let answered: unknown
  try {
    answered = await inTime(authorize(request, context), PATIENCE_MS)
  } catch (error) {
    warn({
      code: 'HALT_W_CALLBACK',
      message: `authorize of the operator's page failed: ${messageOf(error)}.`,
      fix: 'Until it is mended, nobody gets to the page whose request it fails for.',
    })
    return refusal(500, 'The application could not find out who asks.')
  }
  if (typeof answered === 'string' && answered.trim() !== '') return answered.slice(0, LONGEST_NAME)
  if (isResponse(answered)) return await unstored(answered)
  return answered === false
    ? refusal(403, 'You may not see this page.')
    : refusal(401, 'Nobody is signed in.')
}

const FIXES = {
  401: 'Sign in to the application and load the page again.',
  403: 'Ask those who run the application for the permission.',
  500: 'Load the page again. Those who run the application find the reason in its log.',
} as const

function refusal(status: keyof typeof FIXES, message: string): Response {
  return json(status, { error: shownError(new HaltError('HALT_E_OPERATOR_DENIED', message, FIXES[status])) })
}

// Not `instanceof`, because frameworks have classes of their own.
function isResponse(value: unknown): value is Response {
  const { status, headers } = (value ?? {}) as Partial<Response>
  return typeof status === 'number' && typeof headers?.get === 'function'
}

// A body can be read once, and `authorize` may answer all by one constant response.
const bodies = new WeakMap<Response, Promise<ArrayBuffer>>()

async function unstored(response: Response): Promise<Response> {
  let body = bodies.get(response)
  if (body === undefined) bodies.set(response, (body = response.arrayBuffer()))
  const headers = new Headers(response.headers)
  headers.set('cache-control', 'no-store')
  // No body goes with some statuses.
  const bytes = await body
  return new Response(bytes.byteLength === 0 ? null : bytes, { status: response.status, headers })
}
