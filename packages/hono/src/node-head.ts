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
  [CONTEXTS]?: object[]
}

/** The bindings of `@hono/node-server` that are read here. */
interface NodeBindings {
  readonly incoming?: { readonly url?: string }
  readonly outgoing?: NodeResponse
}

const CONTEXTS: unique symbol = Symbol('halt.contexts')

/**
 * Lets Node's response get the headers of the tightest guard when its head is written. Returns false where the response of the
 * app must carry them: on other runtimes, for a request that the app makes itself or passes on with `app.mount()`, or after the
 * head was written.
 *
 * So no response object of the app carries the headers, and a cached or cloned one never shows them to another client. Headers
 * that the app has set itself win.
 */
export function writeAtHead<E extends Env>(c: Context<E>): boolean {
  const { incoming, outgoing } = (c.env ?? {}) as NodeBindings
  if (typeof outgoing?.writeHead !== 'function' || outgoing.headersSent) return false
  // A request of the app's own may have the bindings of the client's request, but another URL.
  if (incoming?.url === undefined || !c.req.raw.url.endsWith(incoming.url)) return false
  const contexts = outgoing[CONTEXTS]
  if (contexts === undefined) watchHead(outgoing, (outgoing[CONTEXTS] = [c]))
  else if (!contexts.includes(c)) contexts.push(c)
  return true
}

/** @param contexts those of the apps that the request passes, the outermost first */
function watchHead(outgoing: NodeResponse, contexts: readonly object[]): void {
  const { writeHead } = outgoing
  outgoing.writeHead = function (status, ...rest) {
    const last = rest.length - 1
    // A copy, because the app may use one object for all its responses.
    const head = isPlain(rest[last]) ? { ...rest[last] } : undefined
    if (head !== undefined) rest[last] = head
    // The innermost app comes first, because a header that is there already stays.
    for (let i = this.headersSent ? -1 : contexts.length - 1; i >= 0; i--) {
      const outcome = bindingOutcome(contexts[i] as object)
      if (outcome === undefined) continue
      if (head === undefined) tellHeaders(outcome, this, OF_RESPONSE)
      else tellHeaders(outcome, head, OF_HEAD)
    }
    return writeHead.call(this, status, ...rest)
  }
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
