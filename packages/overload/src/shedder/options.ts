import { HaltError, type Warn } from '@halt/core'
import { checkNames, describe, namesOf } from '@halt/core/http'

import { rankOf, type Tier } from '../base/tiers.ts'

/** A request as Node's servers give it, of HTTP/1 or HTTP/2. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Options of {@link loadShedder}. None is needed. */
export interface ShedderOptions<R = NodeRequest> {
  /** The name in events, metrics and `explain()`. Default `"app"`. */
  readonly name?: string | undefined
  /**
   * The importance of a request: in an overload `"batch"` is refused first, and `"critical"` last. The function gets Node's request
   * with `wrap`, and the framework's request or context otherwise. It must answer at once. If it fails, the request is normal.
   * Default: all requests are `"normal"`.
   */
  readonly priority?: Tier | ((request: R) => Tier) | undefined
  /**
   * The route of a request, which has a limit of its own. Default: the method, and the first two segments of the path without ids;
   * with Fastify the matched route. 128 routes are told apart, and all others are one.
   */
  readonly route?: ((request: R) => string) | undefined
  /** `"shadow"` learns and reports, and refuses nothing. `"off"` lets all pass. Default `"enforce"`. */
  readonly mode?: 'enforce' | 'shadow' | 'off' | undefined
  /** Paths that always pass and are not counted. `"/admin"` covers itself and `/admin/…`. */
  readonly exemptions?: readonly string[] | undefined
  /** Whether GET and HEAD of `/health`, `/ping`, `/ready`, `/healthz` and `/livez` always pass; or a list of paths. Default true. */
  readonly exemptHealthChecks?: boolean | readonly string[] | undefined
  /** The least that the limit of a route may become, in requests in flight. Default 2. */
  readonly min?: number | undefined
  /** The most that the limit of a route may become, in requests in flight. Default 1000. */
  readonly max?: number | undefined
  /** The format of a refusal's body. Default `"json"`. */
  readonly errorFormat?: 'json' | 'problem' | undefined
  /** Receives warnings. Default: `process.emitWarning`, once per code. */
  readonly warn?: Warn | undefined
}

/** Options of a shedder, checked and with their defaults. */
export interface ShedderSettings<R> {
  readonly name: string
  readonly priority: Tier | ((request: R) => Tier)
  readonly route: ((request: R) => string) | undefined
  readonly mode: 'enforce' | 'shadow' | 'off'
  readonly exemptions: readonly string[]
  readonly healthChecks: readonly string[]
  readonly min: number
  readonly max: number
  readonly errorFormat: 'json' | 'problem'
  readonly warn: Warn | undefined
}

const OPTIONS = namesOf<ShedderOptions>({
  name: true,
  priority: true,
  route: true,
  mode: true,
  exemptions: true,
  exemptHealthChecks: true,
  min: true,
  max: true,
  errorFormat: true,
  warn: true,
})

// The fields of a rate limit that somebody may expect here.
const OF_LIMITS = [
  'limit', 'window', 'burst', 'algorithm', 'precision', 'ttl', 'cost', 'counts', 'inFlight', 'lease', 'headroom',
  'keyStrategy', 'keyExtractor', 'keyGenerator', 'onMissingKey', 'counter', 'blockDuration', 'store', 'policy', 'limiter',
  'maxEventLoopDelay', 'maxEventLoopUtilization', 'maxHeapUsedBytes', 'maxRssBytes', 'maxLag',
] // prettier-ignore

const HEALTH_CHECKS: readonly string[] = Object.freeze(['/health', '/ping', '/ready', '/healthz', '/livez'])

/**
 * Checks the options, and adds the defaults.
 *
 * @throws HaltError `HALT_E_SHEDDER_FIELD` for a field of a rate limit; `HALT_E_UNKNOWN_FIELD`, `HALT_E_OPTION`, `HALT_E_EXEMPTION`
 */
export function readOptions<R>(options: ShedderOptions<R>): ShedderSettings<R> {
  if (typeof options === 'object' && options !== null) refuseLimits(options)
  checkNames(options as never, OPTIONS, 'loadShedder')
  const { name = 'app', priority = 'normal', route, mode = 'enforce' } = options
  const {
    exemptions = [],
    exemptHealthChecks = true,
    min = 2,
    max = 1000,
    errorFormat = 'json',
    warn,
  } = options
  if (typeof name !== 'string' || !/^[A-Za-z0-9_.-]{1,64}$/.test(name))
    wrong('name', name, 'Give 1 to 64 letters, digits, "_", "." or "-".')
  if (typeof priority !== 'function' && rankOf(priority) === undefined)
    wrong(
      'priority',
      priority,
      'Give "critical", "normal" or "batch", or a function of the request that returns one.',
    )
  oneOf('mode', mode, ['enforce', 'shadow', 'off'])
  oneOf('errorFormat', errorFormat, ['json', 'problem'])
  if (route !== undefined && typeof route !== 'function')
    wrong('route', route, 'Give a function of the request that returns a name, or leave it out.')
  if (warn !== undefined && typeof warn !== 'function')
    wrong('warn', warn, 'Give a function, or leave it out.')
  whole('min', min, 1, 100_000)
  whole('max', max, min, 100_000)
  const healthChecks = exemptHealthChecks === true ? HEALTH_CHECKS : exemptHealthChecks || []
  return {
    name,
    priority,
    route,
    mode,
    exemptions: paths('exemptions', exemptions),
    healthChecks: paths('exemptHealthChecks', healthChecks),
    min,
    max,
    errorFormat,
    warn,
  }
}

function refuseLimits(options: object): void {
  if ((options as { scope?: unknown }).scope !== undefined)
    throw new HaltError(
      'HALT_E_SHEDDER_FIELD',
      'loadShedder got "scope", but each route has a limit of its own now.',
      'Remove the field. To have one limit for several routes, give them one name by `route`.',
    )
  const name = OF_LIMITS.find(field => (options as Record<string, unknown>)[field] !== undefined)
  if (name === undefined) return
  throw new HaltError(
    'HALT_E_SHEDDER_FIELD',
    `loadShedder got ${JSON.stringify(name)}, but it has no number to set: it learns how many requests this process can hold.`,
    'Remove the field. To limit what one client may ask, use a RateLimiter, beside the shedder.',
  )
}

function paths(name: string, list: unknown): readonly string[] {
  if (!Array.isArray(list)) wrong(name, list, 'Give a list of paths, such as ["/admin"].')
  for (const path of list as unknown[]) {
    if (typeof path === 'string' && /^\/[^*%;\\]+$/.test(path) && !/\.\.|\/\//.test(path)) continue
    throw new HaltError(
      'HALT_E_EXEMPTION',
      `${name} holds ${describe(path)}, which is not a plain path.`,
      'Give a path that begins with "/", without "*", "%", "..", "//", ";" or "\\". It covers all paths below it.',
    )
  }
  return Object.freeze([...(list as string[])])
}

function oneOf(name: string, value: unknown, choices: readonly string[]): void {
  if (!choices.includes(value as string))
    wrong(name, value, `Choose one of ${choices.map(describe).join(', ')}.`)
}

function whole(name: string, value: unknown, low: number, high: number): void {
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high) return
  wrong(name, value, `Give a whole number from ${low} to ${high}, of requests in flight.`)
}

function wrong(name: string, value: unknown, fix: string): never {
  throw new HaltError('HALT_E_OPTION', `${name} is ${describe(value)}.`, fix)
}
