import { HaltError, type HaltErrorCode } from '@halt/core'
import { messageOf } from '@halt/core/http'

/** Allows files of this server and nothing inline, so that injected text can neither run nor send data. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const COMMON = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Makes an answer that nobody caches, frames or runs. */
export function answer(
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, { status, headers: { ...COMMON, 'content-type': type, ...headers } })
}

/** Answers with data. */
export function json(status: number, data: unknown): Response {
  return answer(status, 'application/json; charset=utf-8', JSON.stringify(data))
}

/** Answers with a sentence. */
export function text(status: number, body: string, headers?: Readonly<Record<string, string>>): Response {
  return answer(status, 'text/plain; charset=utf-8', `${body}\n`, headers)
}

/** Sends the browser to another address, relative to the address of the request. */
export function redirect(to: string): Response {
  return text(308, `See ${to}`, { location: to })
}

/** The part of an error that the page shows. */
export interface ShownError {
  readonly code: string
  readonly message: string
  readonly fix: string
}

/** The parts of an error that the page shows. */
export function shownError(error: unknown): ShownError {
  if (isHaltError(error)) return { code: error.code, message: error.summary, fix: error.fix }
  return {
    code: 'HALT_E_OPERATOR',
    message: `The page failed: ${messageOf(error)}.`,
    fix: 'Reload the page, and report this if it happens again.',
  }
}

/** Answers with an error, as JSON: its code, one sentence, the fix. */
export function errorAnswer(error: unknown): Response {
  return json(isHaltError(error) ? statusOf(error.code) : 500, { error: shownError(error) })
}

/** The error of a request that the page cannot read. */
export function badRequest(message: string, fix: string): HaltError {
  return new HaltError('HALT_E_OPERATOR', message, fix)
}

// Not `instanceof`, because an ES module and a CommonJS copy of core may live in one process.
function isHaltError(error: unknown): error is HaltError {
  return (error as Partial<HaltError> | null)?.name === 'HaltError'
}

function statusOf(code: HaltErrorCode): number {
  if (code === 'HALT_E_OPERATOR_ORIGIN') return 403
  if (code === 'HALT_E_STORE_BUSY' || code === 'HALT_E_CONTROL_REPLACED') return 409
  return code.startsWith('HALT_E_STORE') ? 503 : 400
}
