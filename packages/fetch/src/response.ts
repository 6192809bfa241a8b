import { addHeaders, bindingOutcome, type Outcome } from '@halt/core/http'

/** Whether a value that a handler returned or threw is a response. */
export function isResponse(value: unknown): value is Response {
  const { headers, status } = (value ?? {}) as Partial<Response>
  return typeof status === 'number' && typeof headers?.get === 'function'
}

/** Makes the response of a refusal. */
export function refusalResponse({ status, headers, body }: Outcome): Response {
  const type = body === undefined ? {} : { 'Content-Type': body.type }
  return new Response(body?.text ?? null, { status, headers: { ...headers, ...type } })
}

/** Adds the headers of an outcome to the response of the app. If a later guard was tighter, its headers stay alone. */
export function withOutcome(response: Response, outcome: Outcome, request: Request): Response {
  return bindingOutcome(request) === outcome ? addHeaders(response, outcome.headers) : response
}
