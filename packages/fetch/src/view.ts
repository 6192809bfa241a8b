import type { Warn } from '@halt/core'
import {
  warnOnce,
  callAtOnce,
  continues,
  hasDeparted,
  type HeaderBag,
  pathOf,
  type RequestView,
} from '@halt/core/http'

import { type FetchEvent, readArguments } from './handler-arguments.ts'
import { nodeRequestOf } from './node-bridge.ts'
import { addressSource, type AddressSource, type ClientIp } from './platforms.ts'

/**
 * Makes the view of a request that a limiter reads, for handlers that decide by themselves.
 *
 * @param clientIp as the option of `halt()`
 * @param context the second argument of the handler
 * @throws HaltError `HALT_E_OPTION` for a wrong `clientIp`, or a value that is not a request
 * @example
 * const decision = await limiter.check(viewOf(request, 'vercel'), { cost: 10 })
 * if (!decision.allowed) return sendLimited(request, decision)
 */
export function viewOf<R extends Request = Request, C = unknown>(
  request: R | FetchEvent,
  clientIp?: ClientIp<R, C>,
  context?: C,
): RequestView {
  const call = readArguments(request, context)
  return new FetchView(call.request, call.context, addressSource(clientIp), undefined, WARN)
}

const WARN: Warn = warnOnce()

/** The parts of a Fetch request that Halt reads. Those that cost time are read only if a policy asks for them. */
export class FetchView implements RequestView {
  readonly request: Request
  readonly context: unknown
  readonly route: RequestView['route']
  /** Read at once, because a socket forgets its address when the client leaves. */
  readonly ip: string | undefined
  readonly #source: AddressSource
  readonly #warn: Warn

  constructor(
    request: Request,
    context: unknown,
    source: AddressSource,
    route: RequestView['route'],
    warn: Warn,
  ) {
    this.request = request
    this.context = context
    this.route = route
    this.#source = source
    this.#warn = warn
    this.ip = source.isPeer ? this.#address : undefined
  }

  get clientIp(): string | undefined {
    return this.#source.isPeer ? undefined : this.#address
  }

  /** Known only on Node. */
  get departed(): boolean {
    return hasDeparted(nodeRequestOf(this.request, this.context))
  }

  get method(): string {
    return this.request.method
  }

  get path(): string {
    return pathOf(this.request.url)
  }

  get headers(): HeaderBag {
    return this.request.headers
  }

  /** Known only on Node. */
  get httpVersion(): string | undefined {
    return nodeRequestOf(this.request, this.context)?.httpVersion
  }

  /** Known only on Node. Elsewhere the headers say it, because `request.body` exists on some runtimes without a body. */
  get hasBody(): boolean {
    return continues(nodeRequestOf(this.request, this.context))
  }

  get #address(): string | undefined {
    const found = callAtOnce(this.#warn, 'clientIp', () => this.#source.read(this.request, this.context))
    return typeof found === 'string' ? found : undefined
  }
}
