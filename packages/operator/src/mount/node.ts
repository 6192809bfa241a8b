import type { IncomingMessage, ServerResponse } from 'node:http'

import { text } from '../answer.ts'
import { bodyOf, discardRest, type ParsedRequest } from './node-body.ts'

/** Middleware of Express, Nest and Connect, and a listener of `node:http`. */
export type NodeHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => void

type Handle = (request: Request, context: never) => Promise<Response>

/** The methods that the page answers or refuses by itself. */
const METHODS: ReadonlySet<string | undefined> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
])

/** A request of Node, as frameworks complete it. */
type GivenRequest = ParsedRequest & { readonly originalUrl?: string }

/** Makes a handler for Node's own requests of one for Fetch requests. */
export function mountOnNode(handle: Handle): NodeHandler {
  return (req, res, next) => {
    answer(handle, req, res).catch((error: unknown) => {
      if (next !== undefined) return next(error)
      if (!res.headersSent) res.statusCode = 500
      res.end()
    })
  }
}

async function answer(handle: Handle, req: IncomingMessage, res: ServerResponse): Promise<void> {
  // Fetch knows no TRACE. A request cannot be made of it.
  const response = METHODS.has(req.method)
    ? await handle(requestOf(req), req as never)
    : text(405, 'Only GET and POST.', { Allow: 'GET, HEAD, POST' })
  await send(response, req, res)
  discardRest(req)
}

/** Makes a Fetch request of one of Node's, with its whole path. Its body is read when somebody asks for it. */
export function requestOf(req: GivenRequest): Request {
  const { method = 'GET', url: own = '/', originalUrl = own } = req
  // The host of the address decides nothing, and a client may send a broken one.
  const url = new URL(`http://localhost/${originalUrl.replace(/^\/+/, '')}`)
  const isEmpty = method === 'GET' || method === 'HEAD'
  const body = isEmpty ? {} : ({ body: bodyOf(req), duplex: 'half' } as RequestInit)
  return new Request(url, { method, headers: headersOf(req), ...body })
}

function headersOf({ headers: given }: IncomingMessage): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(given))
    // HTTP/2 has names that begin with a colon.
    if (value !== undefined && !name.startsWith(':')) headers.set(name, String(value))
  const authority = given[':authority']
  if (typeof authority === 'string') headers.set('host', authority)
  return headers
}

async function send(response: Response, req: IncomingMessage, res: ServerResponse): Promise<void> {
  res.statusCode = response.status
  for (const [name, value] of response.headers) if (name !== 'set-cookie') res.setHeader(name, value)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) res.setHeader('set-cookie', cookies)
  res.end(req.method === 'HEAD' ? undefined : Buffer.from(await response.arrayBuffer()))
}
