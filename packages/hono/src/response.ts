import { applyHeaders, type Headers, type Outcome } from '@halt/core/http'
import type { Context, Env } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'

/** Makes the response of a refusal, beside the headers that other middleware has set. */
export function refusalOf<E extends Env>(c: Context<E>, { status, headers, body }: Outcome): Response {
  const type = body === undefined ? {} : { 'Content-Type': body.type }
  return withHeaders(c.newResponse(body?.text ?? null, status as StatusCode, { ...headers, ...type }), headers)
}

/** A response with the headers that it lacks, told to scripts where CORS is on. */
export function withHeaders(response: Response, headers: Headers): Response {
  const itself = (): Response => response
  const copy = (): Response => new Response(response.body, response)
  // Who lacks them did not come from `c`: the app may hold it, and give it to the next client. A copy it is then, and
  // for what fetch() gave, whose headers are fixed; in place for what cannot be copied: a 101.
  const lacks = Object.keys(headers).some(name => !response.headers.has(name))
  for (const candidate of lacks ? [copy, itself] : [itself, copy]) {
    try {
      return fill(candidate(), headers)
    } catch {}
  }
  return response
}

function fill(response: Response, headers: Headers): Response {
  const own = response.headers
  applyHeaders(headers, {
    get: name => own.get(name) ?? undefined,
    set: (name, value) => {
      if (!Object.hasOwn(headers, name) || !own.has(name)) own.set(name, value)
    },
  })
  return response
}
