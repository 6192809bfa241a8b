import { Decision } from '../check/decision.ts'
import type { Limiter } from '../limiter/limiter.ts'
import type { Headers, HeaderSink } from './dialects.ts'
import { type HeaderDialect, type WriteHeaders, SPELT } from './headers.ts'
import type { RefusalBody } from './refusal.ts'

/** The result of a guard, which the adapter applies to the response. */
export interface Outcome {
  /** True: the request may go on. False: the adapter answers with the status, headers and body below. */
  readonly pass: boolean
  /** Undefined when the request was not checked, because it was skipped or is a preflight. */
  readonly decision: Decision | undefined
  readonly status: number
  /** Headers to set on the response, whether the request passed or not. */
  readonly headers: Headers
  /** The body of a refusal. */
  readonly body: RefusalBody | undefined
  /** Whether this guard charged the request. False when an earlier mount of the same limiter charged it. */
  readonly charged: boolean
  /** Whether the decision is the tightest of the request so far. `req.halt` and the headers show the tightest decision. */
  readonly binding: boolean
  /** Headers of earlier, looser guards that `headers` does not replace. The adapter removes them from the response. */
  readonly stale?: readonly string[] | undefined
  /** Sets each header on a target, without making the list `headers`. The names of Halt's own headers come in lower case. */
  tell<T>(target: T, sink: HeaderSink<T>): void
}

/** The parts of a guard that its outcomes need. */
export interface Mount {
  /** Undefined when a handler decided by itself. */
  readonly limiter: Pick<Limiter, 'store'> | undefined
  readonly write: WriteHeaders
  readonly dialect: HeaderDialect
  readonly refuse: Refuse
}

/**
 * Makes the outcome of a refused decision.
 *
 * @param isByHandler whether a handler made the decision, and not the guard
 */
type Refuse = (decision: Decision, before: GuardOutcome | undefined, isByHandler?: boolean) => GuardOutcome

/** The status and the body of a refusal. */
export interface Answer {
  readonly status: number
  readonly body: RefusalBody
}

/** What a guard did with a request: it passed or was refused. `before` is the outcome of the guard before. */
export class GuardOutcome implements Outcome {
  readonly mount: Mount
  readonly before: GuardOutcome | undefined
  readonly binding: boolean
  readonly charged: boolean
  readonly #decision: Decision
  readonly #answer: Answer | undefined
  #headers: Headers | undefined

  /** @param answer given for a refusal */
  constructor(
    mount: Mount,
    decision: Decision,
    before: GuardOutcome | undefined,
    binding: boolean,
    charged: boolean,
    answer?: Answer,
  ) {
    this.mount = mount
    this.#decision = decision
    this.before = before
    this.binding = binding
    this.charged = charged
    this.#answer = answer
  }

  /** Frozen when it is read, because most requests do not read it. */
  get decision(): Decision {
    return Decision.freeze(this.#decision)
  }

  get pass(): boolean {
    return this.#answer === undefined
  }

  get status(): number {
    return this.#answer?.status ?? 200
  }

  get body(): RefusalBody | undefined {
    return this.#answer?.body
  }

  // Made when it is read, because most adapters set the headers without a list.
  get headers(): Headers {
    if (this.#headers === undefined) this.tell((this.#headers = {}), SPELT)
    return this.#headers
  }

  get stale(): readonly string[] | undefined {
    // The response shows the headers of one guard. Each binding guard removes the headers of the one before.
    const last = this.binding ? findPassed(this.before, ({ binding }) => binding) : undefined
    if (last === undefined || this.#replaces(last)) return undefined
    const { headers } = this
    const names = Object.keys(last.headers).filter(name => !Object.hasOwn(headers, name))
    return names.length === 0 ? undefined : names
  }

  // Two guards of one dialect write headers of the same names, and a refusal writes more. Only a decision without a limit writes
  // fewer.
  #replaces({ mount }: GuardOutcome): boolean {
    return mount.dialect === this.mount.dialect && FIXED.has(mount.dialect) && this.decision.limit > 0
  }

  tell<T>(target: T, sink: HeaderSink<T>): void {
    if (!this.binding) return
    this.mount.write(this.#decision, target, sink)
    if (this.#answer !== undefined) sink.set(target, 'cache-control', 'no-store')
  }
}

/** The outcome of a request that was not checked. */
export const UNCHECKED: Outcome = Object.freeze({
  pass: true,
  decision: undefined,
  status: 200,
  headers: Object.freeze({}),
  body: undefined,
  charged: false,
  binding: false,
  tell() {},
})

/** The last passed guard for which a condition holds. */
export function findPassed(
  last: GuardOutcome | undefined,
  is: (passed: GuardOutcome) => boolean,
): GuardOutcome | undefined {
  let passed = last
  while (passed !== undefined && !is(passed)) passed = passed.before
  return passed
}

// The dialects whose names do not depend on the decision.
const FIXED: ReadonlySet<unknown> = new Set(['standard', 'draft-6', 'draft-7', 'x-ratelimit'])

/**
 * How an adapter reads and writes the headers of its responses: one constant object per adapter, so that a request makes no object.
 *
 * The names of Halt's own headers come in lower case, as Node and Fastify keep them.
 */
export interface HeaderPort<T> extends HeaderSink<T> {
  get(target: T, name: string): string | undefined
  remove(target: T, name: string): void
}

/** Sets the headers of an outcome. On a CORS response it also exposes them to scripts. */
export function tellHeaders<T>(outcome: Outcome, target: T, port: HeaderPort<T>): void {
  if (!outcome.binding) return
  const { stale } = outcome
  if (stale !== undefined) for (const name of stale) port.remove(target, name)
  outcome.tell(target, port)
  if (port.get(target, 'access-control-allow-origin') !== undefined)
    expose(Object.keys(outcome.headers), target, port)
}

/** Sets headers, as {@link tellHeaders} does for an outcome. */
export function applyHeaders<T>(headers: Headers, target: T, port: HeaderPort<T>): void {
  const names = Object.keys(headers)
  for (const name of names) port.set(target, name, headers[name] as string)
  if (port.get(target, 'access-control-allow-origin') !== undefined) expose(names, target, port)
}

function expose<T>(names: readonly string[], target: T, port: HeaderPort<T>): void {
  const exposed = port.get(target, 'Access-Control-Expose-Headers')
  const listed = new Set((exposed ?? '').split(',').map(name => name.trim().toLowerCase()))
  // With credentials, browsers read the star as a header name.
  if (listed.has('*') && port.get(target, 'Access-Control-Allow-Credentials') !== 'true') return
  const missing = names.filter(name => name !== 'Cache-Control' && !listed.has(name.toLowerCase()))
  if (missing.length === 0) return
  const all = [...(exposed ? [exposed] : []), ...missing].join(', ')
  port.set(target, 'Access-Control-Expose-Headers', all)
}

/**
 * Gives a Fetch response the headers that it lacks, and exposes them to browsers if CORS is on. Returns the response itself if
 * it needs none, else a copy, because the app may keep the response and send it to the next client.
 *
 * @param context the headers that middleware has set before. They win over the headers of the response, so they are completed too.
 */
export function addHeaders(
  response: Response,
  headers: Headers,
  context?: () => Response['headers'],
): Response {
  const names = Object.keys(headers)
  const [first] = names
  if (first === undefined) return response
  const own = response.headers
  // The headers are set together, so checking the first is enough; a look-up each would cost as much as the check.
  const hasHeaders = context === undefined && own.get(first) === headers[first]
  const lacks = !hasHeaders && names.some(name => !own.has(name))
  if (!lacks && !own.has('Access-Control-Allow-Origin')) return response
  const itself = (): Response => response
  const copy = (): Response => new Response(response.body, response)
  // The headers of a response of fetch() cannot be changed. Only a 101 cannot be copied, and is changed itself.
  for (const candidate of lacks ? [copy, itself] : [itself, copy]) {
    try {
      return fill(candidate(), headers, context?.())
    } catch {}
  }
  return response
}

function fill(response: Response, headers: Headers, context: Response['headers'] | undefined): Response {
  applyHeaders(headers, { own: response.headers, context, halts: headers }, OF_LAYERS)
  return response
}

/** The headers of a response, of the middleware before it, and of Halt. */
interface Layers {
  readonly own: Response['headers']
  readonly context: Response['headers'] | undefined
  readonly halts: Headers
}

const OF_LAYERS: HeaderPort<Layers> = {
  get: ({ own, context }, name) => own.get(name) ?? context?.get(name) ?? undefined,
  set({ own, context, halts }, name, value) {
    const stays = Object.hasOwn(halts, name) ? own.get(name) : null
    if (stays === null) own.set(name, value)
    context?.set(name, stays ?? value)
  },
  remove: ({ own }, name) => own.delete(name),
}
