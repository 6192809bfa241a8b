import { bindingOutcome, type HeaderPort, tellHeaders } from '@halt/core/http'
import type { Context, Env } from 'hono'

type Head = Record<string, unknown>

type WriteHead = (this: NodeResponse, status: number, ...rest: unknown[]) => unknown

/** The part of Node's response that is used here, of HTTP/1 or HTTP/2. */
interface NodeResponse {
  readonly headersSent: boolean
  writeHead: WriteHead
  getHeader(name: string): unknown
  setHeader(name: string, value: string): unknown
  removeHeader(name: string): void
  [WATCHED]?: true
}

const WATCHED: unique symbol = Symbol('halt.head')

/**
 * Lets Node's response get the headers of the tightest guard when its head is written. Returns false where there is no such
 * response: on other runtimes, in `app.request()`, or after the head was written.
 *
 * So no response object of the app carries the headers, and a cached or cloned one never shows them to another client. Headers
 * that the app has set itself win.
 */
export function writeAtHead<E extends Env>(c: Context<E>): boolean {
  const { outgoing } = (c.env ?? {}) as { outgoing?: NodeResponse }
  if (typeof outgoing?.writeHead !== 'function' || outgoing.headersSent) return false
  if (outgoing[WATCHED] === true) return true
  outgoing[WATCHED] = true
  const { writeHead } = outgoing
  outgoing.writeHead = function (status, ...rest) {
    const outcome = this.headersSent ? undefined : bindingOutcome(c)
    if (outcome === undefined) return writeHead.call(this, status, ...rest)
    const last = rest.length - 1
    const given = rest[last]
    if (isPlain(given)) {
      // A copy, because the app may use one object for all its responses.
      const head = { ...given }
      tellHeaders(outcome, head, OF_HEAD)
      rest[last] = head
    } else tellHeaders(outcome, this, OF_RESPONSE)
    return writeHead.call(this, status, ...rest)
  }
  return true
}

function isPlain(value: unknown): value is Head {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The name by which a head has a header. The app may have written it in any case. */
function nameIn(head: Head, name: string): string | undefined {
  const { length } = name
  for (const key in head)
    if (key.length === length && (key === name || key.toLowerCase() === name.toLowerCase())) return key
  return undefined
}

const OF_HEAD: HeaderPort<Head> = {
  get(head, name) {
    const own = nameIn(head, name)
    return own === undefined ? undefined : String(head[own])
  },
  set(head, name, value) {
    const own = nameIn(head, name)
    if (own === undefined) head[name] = value
    else if (name === EXPOSE) head[own] = value
  },
  remove() {},
}

const OF_RESPONSE: HeaderPort<NodeResponse> = {
  get: (response, name) => response.getHeader(name)?.toString(),
  set(response, name, value) {
    if (name === EXPOSE || response.getHeader(name) === undefined) response.setHeader(name, value)
  },
  remove() {},
}

const EXPOSE = 'Access-Control-Expose-Headers'
