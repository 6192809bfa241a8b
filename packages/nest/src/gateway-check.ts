import { rulesOf } from './rules.ts'
import type { Runtime } from './runtime.ts'
import { isOurs } from './tokens.ts'

// Nest's own keys, the same in all its versions: importing them would make an optional peer a required one.
const IS_GATEWAY = 'websockets:is_gateway'
const IS_HANDLER = 'websockets:message_mapping'
const GUARDS = '__guards__'
const INTERCEPTORS = '__interceptors__'

/**
 * Warns of a gateway that is not counted, or not to the end, although `HaltGuard` is global: Nest keeps global guards and
 * interceptors from gateways.
 */
export function checkGateway(
  type: { readonly name: string },
  methods: readonly [string, object][],
  { limiter, planner }: Runtime,
): void {
  if (Reflect.getMetadata(IS_GATEWAY, type) !== true) return
  for (const [name, handler] of methods) {
    if (Reflect.getMetadata(IS_HANDLER, handler) === undefined || has(INTERCEPTORS, type, handler)) continue
    if (rulesOf(type).skips.length > 0 || rulesOf(handler).skips.length > 0) continue
    if (!has(GUARDS, type, handler)) {
      limiter.warn({
        code: 'HALT_W_GATEWAY_OPEN',
        message: `${type.name}.${name} is not counted: Nest's global guards do not reach gateways.`,
        fix: `Put @RateLimit() on ${type.name}, or @SkipRateLimit() if that is meant.`,
      })
    } else if (planner.make(type, handler as () => void).watches) {
      limiter.warn({
        code: 'HALT_W_GATEWAY_ENDLESS',
        message: `${type.name}.${name} is counted, but not when it ends: Nest's global interceptors do not reach gateways.`,
        fix: `Put @RateLimit() on ${type.name} instead of @UseGuards(HaltGuard).`,
      })
    }
  }
}

function has(key: string, ...holders: readonly object[]): boolean {
  return holders.some(holder =>
    ((Reflect.getMetadata(key, holder) as unknown[] | undefined) ?? []).some(isOurs),
  )
}
