import { boundTo, GATEWAY, GUARDS, has, INTERCEPTORS, MESSAGE } from '../base/nest-metadata.ts'
import { limitMetadataOf } from '../policies/limit-metadata.ts'
import type { Runtime } from '../guard/runtime.ts'
import { isHaltEnhancer } from '../base/tokens.ts'

/**
 * Warns of a gateway that is not counted, or whose calls have no counted end, although `HaltGuard` is global. The cause is
 * that Nest 11 does not run global guards and interceptors for gateways.
 */
export function checkGateway(
  type: { readonly name: string },
  methods: readonly [string, object][],
  { limiter, handlerGuards }: Runtime,
): void {
  if (!has(type, GATEWAY)) return
  for (const [name, handler] of methods) {
    const holders = [type, handler]
    const bound = (key: Parameters<typeof boundTo>[1]): boolean =>
      holders.some(holder => boundTo(holder, key).some(isHaltEnhancer))
    if (!has(handler, MESSAGE) || bound(INTERCEPTORS)) continue
    if (holders.some(holder => limitMetadataOf(holder).skips.some(names => names.length === 0))) continue
    if (!bound(GUARDS)) {
      limiter.warn({
        code: 'HALT_W_GATEWAY_OPEN',
        message: `${type.name}.${name} is not counted, because Nest 11 does not run global guards for gateways.`,
        fix: `Put @RateLimit() on ${type.name}, or @SkipRateLimit() if it should not be counted.`,
      })
    } else if (handlerGuards.makeGuard(type, handler as () => void)?.needsResponse) {
      limiter.warn({
        code: 'HALT_W_GATEWAY_ENDLESS',
        message: `${type.name}.${name} is counted, but its end is not noticed, because Nest 11 does not run global interceptors for gateways.`,
        fix: `Put @RateLimit() on ${type.name} instead of @UseGuards(HaltGuard).`,
      })
    }
  }
}
