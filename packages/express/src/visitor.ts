import type { Request } from 'express'

/**
 * What stands for an HTTP request where its visits are noted: an object that lives as long, whatever Express makes of
 * the request.
 *
 * The list of raw headers, not the request: Express gives each request a prototype of its own, and a new property on
 * such an object takes longer than the whole check.
 */
export function visitorOf(req: Request): object {
  return req.rawHeaders ?? req
}
