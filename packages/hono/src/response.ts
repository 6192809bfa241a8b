import type { Decision } from '@halt/core'
import { applyHeaders, type HeaderPort, type Headers, type Outcome } from '@halt/core/http'
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

/** Makes the response of a refusal. It has the headers of Halt and those that other middleware has set. */
export function refusalResponse<E extends Env>({ status, headers, body }: Outcome, c: Context<E>): Response {
  const type = body && { 'Content-Type': body.type }
  return withHeaders(c.newResponse(body?.text ?? null, status as StatusCode, type), headers, c)
}

/** Adds headers to the response of the app, unless it has them already. */
export function addMissingHeaders<E extends Env>(c: Context<E>, headers: Headers): void {
  // Hono throws if the app has not answered. A response made here would hide that.
  if (!c.finalized) return
  const { res } = c
  const completed = withHeaders(res, headers)
  if (completed !== res) replaceResponse(c, completed)
}

/** Replaces the response of the app. */
export function replaceResponse<E extends Env>(c: Context<E>, response: Response): void {
  // Unset it first, or Hono copies the response again.
  c.res = undefined
  c.res = response
}

/**
 * Gives a response the headers that it lacks, and exposes them to browsers if CORS is on.
 *
 * @param c given for a refusal: if other middleware has set headers on `c`, as cors() does, those win over the response
 */
export function withHeaders<E extends Env>(response: Response, headers: Headers, c?: Context<E>): Response {
  const names = Object.keys(headers)
  const [first] = names
  if (first === undefined) return response
  const own = response.headers
  // The headers are set together, so checking the first is enough; a look-up each would cost as much as the check.
  const hasHeaders = c === undefined && own.get(first) === headers[first]
  const lacks = !hasHeaders && names.some(name => !own.has(name))
  if (!lacks && !own.has('Access-Control-Allow-Origin')) return response
  const itself = (): Response => response
  const copy = (): Response => new Response(response.body, response)
  // A response that lacks the headers was not made with `c`. The app may keep it and send it to the next client, and the
  // headers of a response of fetch() cannot be changed. So copy it. Only a 101 cannot be copied, and is changed itself.
  for (const candidate of lacks ? [copy, itself] : [itself, copy]) {
    try {
      return fill(candidate(), headers, c)
    } catch {}
  }
  return response
}

function fill<E extends Env>(response: Response, headers: Headers, c?: Context<E>): Response {
  // The headers that other middleware has set on `c` win over those of the response, so set them there too.
  const layers = { own: response.headers, ofContext: c?.res.headers, halts: headers }
  applyHeaders(headers, layers, OF_LAYERS)
  return response
}

/** The headers of a response, those set on its context, and those that Halt adds. */
interface Layers {
  readonly own: globalThis.Headers
  readonly ofContext: globalThis.Headers | undefined
  readonly halts: Headers
}

const OF_LAYERS: HeaderPort<Layers> = {
  get: ({ own, ofContext }, name) => own.get(name) ?? ofContext?.get(name) ?? undefined,
  set({ own, ofContext, halts }, name, value) {
    const stays = Object.hasOwn(halts, name) ? own.get(name) : null
    if (stays === null) own.set(name, value)
    ofContext?.set(name, stays ?? value)
  },
  remove: ({ own }, name) => own.delete(name),
}
