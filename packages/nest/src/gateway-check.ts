import { boundTo, GATEWAY, GUARDS, has, INTERCEPTORS, MESSAGE } from './nest-metadata.ts'
import { rulesOf } from './rules.ts'
import type { Runtime } from './runtime.ts'
import { isOurs } from './tokens.ts'

/**
 * Warns of a gateway that is not counted, or not to the end, although `HaltGuard` is global: Nest 11 keeps global guards
 * and interceptors from gateways.
 */
export function checkGateway(
  type: { readonly name: string },
  methods: readonly [string, object][],
  { limiter, planner }: Runtime,
): void {
  if (!has(type, GATEWAY)) return
  for (const [name, handler] of methods) {
    const holders = [type, handler]
    const bound = (key: Parameters<typeof boundTo>[1]): boolean =>
      holders.some(holder => boundTo(holder, key).some(isOurs))
    if (!has(handler, MESSAGE) || bound(INTERCEPTORS)) continue
    if (holders.some(holder => rulesOf(holder).skips.some(names => names.length === 0))) continue
    if (!bound(GUARDS)) {
      limiter.warn({
        code: 'HALT_W_GATEWAY_OPEN',
        message: `${type.name}.${name} is not counted: Nest 11 keeps global guards from gateways.`,
        fix: `Put @RateLimit() on ${type.name}, or @SkipRateLimit() if that is meant.`,
      })
    } else if (planner.make(type, handler as () => void)?.needsResponse) {
      limiter.warn({
        code: 'HALT_W_GATEWAY_ENDLESS',
        message: `${type.name}.${name} is counted, but not when it ends: Nest 11 keeps global interceptors from gateways.`,
        fix: `Put @RateLimit() on ${type.name} instead of @UseGuards(HaltGuard).`,
      })
    }
  }
}
