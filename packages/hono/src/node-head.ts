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
  [PASSED]?: PassedApp
}

/** The bindings of `@hono/node-server` that are read here. */
interface NodeBindings {
  readonly incoming?: { readonly url?: string }
  readonly outgoing?: NodeResponse
}

const PASSED: unique symbol = Symbol('halt.apps')

/** One of the apps that a request passes. */
// perf: bench "hono: halt"; a class, because V8 may keep literals that live this long, and with them each request, until the
// next full collection of garbage.
class PassedApp {
  readonly context: object
  readonly outer: PassedApp | undefined
  readonly writeHead: WriteHead

  /** @param writeHead the method of the response without Halt */
  constructor(context: object, outer: PassedApp | undefined, writeHead: WriteHead) {
    this.context = context
    this.outer = outer
    this.writeHead = writeHead
  }
}

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
  const outer = outgoing[PASSED]
  if (!hasPassed(c, outer)) outgoing[PASSED] = new PassedApp(c, outer, outer?.writeHead ?? outgoing.writeHead)
  if (outer === undefined) outgoing.writeHead = writeHeadWithLimits
  return true
}

function hasPassed(context: object, last: PassedApp | undefined): boolean {
  return last !== undefined && (last.context === context || hasPassed(context, last.outer))
}

function writeHeadWithLimits(this: NodeResponse, status: number, ...rest: unknown[]): unknown {
  const passed = this[PASSED] as PassedApp
  if (!this.headersSent) {
    const last = rest.length - 1
    const own = rest[last]
    if (isPlain(own)) rest[last] = completed(own, passed)
    else tellInnermostFirst(passed, this, OF_RESPONSE)
  }
  return passed.writeHead.call(this, status, ...rest)
}

// A header that is there already stays.
function tellInnermostFirst<T>(innermost: PassedApp, target: T, port: HeaderPort<T>): void {
  for (let passed: PassedApp | undefined = innermost; passed !== undefined; passed = passed.outer) {
    const outcome = bindingOutcome(passed.context)
    if (outcome !== undefined) tellHeaders(outcome, target, port)
  }
}

/** The head of the app with the headers of Halt: a new object, because the app may use one object for all its responses. */
function completed(own: Head, passed: PassedApp): Head {
  const draft = new Draft(own)
  tellInnermostFirst(passed, draft, OF_HEAD)
  const { made } = draft
  const isExposed = made[EXPOSE] !== undefined
  for (const name in own) if (!isExposed || !isSame(name, EXPOSE)) made[name] = own[name]
  return made
}

function isPlain(value: unknown): value is Head {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A head in the making. */
class Draft {
  /** The headers that the app has set. */
  readonly own: Head
  /** The headers that Halt adds. */
  // perf: bench "hono: halt"; V8 adds properties to a new object much faster than to a copy of the app's.
  readonly made: Head = {}

  constructor(own: Head) {
    this.own = own
  }
}

/** The name by which a head has a header. The app may have written it in any case. */
function nameIn(head: Head, name: string): string | undefined {
  for (const key in head) if (isSame(key, name)) return key
  return undefined
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && (a === b || a.toLowerCase() === b.toLowerCase())
}

function valueIn(head: Head, name: string): string | undefined {
  const own = nameIn(head, name)
  return own === undefined ? undefined : String(head[own])
}

const OF_HEAD: HeaderPort<Draft> = {
  get: ({ own, made }, name) => valueIn(made, name) ?? valueIn(own, name),
  set({ own, made }, name, value) {
    if (name === EXPOSE || (nameIn(own, name) ?? nameIn(made, name)) === undefined) made[name] = value
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
