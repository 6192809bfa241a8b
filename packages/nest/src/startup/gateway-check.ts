import { boundTo, GATEWAY, GUARDS, has, INTERCEPTORS, MESSAGE } from '../base/nest-metadata.ts'
import { limitMetadataOf } from '../policies/limit-metadata.ts'
import type { Runtime } from '../guard/runtime.ts'
import { isHaltEnhancer } from '../base/tokens.ts'

/**
 * Warns of a gateway that is not counted, or not to the end, although `HaltGuard` is global: Nest 11 keeps global guards
 * and interceptors from gateways.
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
        message: `${type.name}.${name} is not counted: Nest 11 keeps global guards from gateways.`,
        fix: `Put @RateLimit() on ${type.name}, or @SkipRateLimit() if that is meant.`,
      })
    } else if (handlerGuards.makeGuard(type, handler as () => void)?.watches) {
      limiter.warn({
        code: 'HALT_W_GATEWAY_ENDLESS',
        message: `${type.name}.${name} is counted, but not when it ends: Nest 11 keeps global interceptors from gateways.`,
        fix: `Put @RateLimit() on ${type.name} instead of @UseGuards(HaltGuard).`,
      })
    }
  }
}
