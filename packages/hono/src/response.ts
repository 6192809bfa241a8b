import type { Decision } from '@halt/core'
import { applyHeaders, type Headers, type Outcome } from '@halt/core/http'
import type { Context, Env } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'

/** Shows a decision to handlers, if it is the tightest so far. */
export function showDecision<E extends Env>({ binding, decision }: Outcome, c: Context<E>): void {
  if (binding) (c as unknown as ContextWithDecision).set('halt', decision)
}

/** The decision that handlers are shown. */
export function decisionShownOn<E extends Env>(c: Context<E>): Decision | undefined {
  return (c as unknown as ContextWithDecision).get('halt')
}

type ContextWithDecision = Context<{ Variables: { halt: Decision | undefined } }>

/** Sets headers for whatever is made with `c` from now on. */
export function setHeaders<E extends Env>({ headers, stale }: Outcome, c: Context<E>): void {
  if (stale !== undefined) for (const name of stale) c.header(name, undefined)
  for (const name in headers) c.header(name, headers[name])
}

/** Makes the answer of a refusal whose headers are announced, beside those that other middleware has set. */
export function refusalResponse<E extends Env>({ status, headers, body }: Outcome, c: Context<E>): Response {
  const type = body && { 'Content-Type': body.type }
  return withHeaders(c.newResponse(body?.text ?? null, status as StatusCode, type), headers, c)
}

/** Gives the app's answer the headers that it lacks. */
export function addMissingHeaders<E extends Env>(c: Context<E>, headers: Headers): void {
  // Without an answer Hono throws; one of ours must not hide that.
  if (!c.finalized) return
  const { res } = c
  const completed = withHeaders(res, headers)
  if (completed !== res) replaceResponse(c, completed)
}

/** Puts another answer in the place of the app's. */
export function replaceResponse<E extends Env>(c: Context<E>, response: Response): void {
  // Unset first, or Hono copies it once more.
  c.res = undefined
  c.res = response
}

/**
 * A response with the headers that it lacks, told to browsers where CORS is on.
 *
 * @param c of a refusal: where other middleware has begun the answer, as cors() does, Hono lets those headers win
 */
export function withHeaders<E extends Env>(response: Response, headers: Headers, c?: Context<E>): Response {
  const names = Object.keys(headers)
  const [first] = names
  if (first === undefined) return response
  const own = response.headers
  // They are announced together: of what passes one tells for all, since to look each up takes as long as to count.
  const hasHeaders = c === undefined && own.get(first) === headers[first]
  const lacks = !hasHeaders && names.some(name => !own.has(name))
  if (!lacks && !own.has('Access-Control-Allow-Origin')) return response
  const itself = (): Response => response
  const copy = (): Response => new Response(response.body, response)
  // What lacks them was not made with `c`: the app may hold it, and give it to the next client. A copy it is then, and
  // of what fetch() gave, whose headers are fixed; only what cannot be copied is changed itself: a 101.
  for (const candidate of lacks ? [copy, itself] : [itself, copy]) {
    try {
      return fill(candidate(), headers, c)
    } catch {}
  }
  return response
}

function fill<E extends Env>(response: Response, headers: Headers, c?: Context<E>): Response {
  const own = response.headers
  // What other middleware has begun wins over the answer, so it is told the same.
  const begun = c?.res.headers
  applyHeaders(headers, {
    get: name => own.get(name) ?? begun?.get(name) ?? undefined,
    set: (name, value) => {
      const stays = Object.hasOwn(headers, name) ? own.get(name) : null
      if (stays === null) own.set(name, value)
      begun?.set(name, stays ?? value)
    },
    remove: name => own.delete(name),
  })
  return response
}
