import { HaltError } from '@halt/core'
import { messageOf } from '@halt/core/http'

import { json, shownError } from './answer.ts'
import { inTime } from './in-time.ts'
import type { Authorize } from './options.ts'

/** How long `authorize` may take, in milliseconds. */
const PATIENCE_MS = 5_000

/** The longest name of an operator that the history keeps whole. */
const LONGEST_NAME = 200

/** Asks who sends a request. Resolves to the name, or to the answer that refuses. */
export async function admit<C>(
  authorize: Authorize<C>,
  request: Request,
  context: C,
): Promise<string | Response> {
  let answered: unknown
  try {
    answered = await inTime(authorize(request, context), PATIENCE_MS)
  } catch (error) {
    return refusal(403, `authorize failed: ${messageOf(error)}.`)
  }
  if (typeof answered === 'string' && answered.trim() !== '') return answered.slice(0, LONGEST_NAME)
  if (isResponse(answered)) return unstored(answered)
  return answered === false
    ? refusal(403, 'You may not see this page.')
    : refusal(401, 'Nobody is signed in.')
}

function refusal(status: 401 | 403, message: string): Response {
  const fix =
    status === 401
      ? 'Sign in to the application and load the page again.'
      : 'Ask those who run the application for the permission.'
  return json(status, { error: shownError(new HaltError('HALT_E_OPERATOR_DENIED', message, fix)) })
}

// Not `instanceof`, because frameworks have classes of their own.
function isResponse(value: unknown): value is Response {
  const { status, headers } = (value ?? {}) as Partial<Response>
  return typeof status === 'number' && typeof headers?.get === 'function'
}

function unstored(response: Response): Response {
  const headers = new Headers(response.headers)
  headers.set('cache-control', 'no-store')
  return new Response(response.body, { status: response.status, headers })
}
