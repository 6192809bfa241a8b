import type { Decision } from '@halt/core'
import { addHeaders, type Headers, type Outcome } from '@halt/core/http'
import type { Context, Env } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'

/** Sets `c.get('halt')`, if the decision is the tightest so far. */
export function showDecision<E extends Env>({ binding, decision }: Outcome, c: Context<E>): void {
  if (binding) (c as unknown as ContextWithDecision).set('halt', decision)
}

/** The decision that `c.get('halt')` gives. */
export function decisionShownOn<E extends Env>(c: Context<E>): Decision | undefined {
  return (c as unknown as ContextWithDecision).get('halt')
}

type ContextWithDecision = Context<{ Variables: { halt: Decision | undefined } }>

/** Sets the headers of an outcome on every response that is made with `c` from now on. */
export function setHeaders<E extends Env>({ headers, stale }: Outcome, c: Context<E>): void {
  if (stale !== undefined) for (const name of stale) c.header(name, undefined)
  for (const name in headers) c.header(name, headers[name])
}

/** Makes the response of a refusal, whose headers are set on `c` already, together with those of other middleware. */
export function refusalResponse<E extends Env>({ status, headers, body }: Outcome, c: Context<E>): Response {
  const type = body && { 'Content-Type': body.type }
  const response = c.newResponse(body?.text ?? null, status as StatusCode, type)
  return response.headers.has('access-control-allow-origin') ? withHeaders(response, headers, c) : response
}

/** Adds headers to the response of the app, unless it has them already. */
export function addMissingHeaders<E extends Env>(c: Context<E>, headers: Headers): void {
  // Hono throws if the app has not answered. A response made here would hide that.
  if (!c.finalized) return
  const { res } = c
  const completed = addHeaders(res, headers)
  if (completed !== res) replaceResponse(c, completed)
}

/** Replaces the response of the app. */
export function replaceResponse<E extends Env>(c: Context<E>, response: Response): void {
  // Unset it first, or Hono copies the response again.
  c.res = undefined
  c.res = response
}

/**
 * Gives the response of a refusal the headers that it lacks. If other middleware has set headers on `c`, as cors() does, those win
 * over the response.
 */
export function withHeaders<E extends Env>(response: Response, headers: Headers, c: Context<E>): Response {
  return addHeaders(response, headers, () => c.res.headers)
}
