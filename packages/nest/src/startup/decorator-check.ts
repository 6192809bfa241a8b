import { HaltError } from '@halt/core'
import type { DiscoveryService } from '@nestjs/core'

import { handlersOf, handlerClassesOf } from '../base/discovery.ts'
import { checkGateway } from './gateway-check.ts'
import { limitMetadataOf } from '../policies/limit-metadata.ts'
import type { Runtime } from '../guard/runtime.ts'
import { tokensOf } from '../base/nest-metadata.ts'
import { isPending } from '../policies/pending-limiter.ts'
import { getRateLimiterToken, wantedNames } from '../base/tokens.ts'
import { keepsGatewaysApart } from '../refusal/transports.ts'

/**
 * Checks the decorators of every controller, resolver and gateway before the first call.
 *
 * @param isGlobal true if our guard is a global one
 * @throws HaltError for an unknown name, a wrong policy or an `override` without a policy; it names the class and handler
 */
export function checkDecorators(discovery: DiscoveryService, runtime: Runtime, isGlobal: boolean): void {
  // Names that a class has injected and that have no policy. A limiter that a test has overridden is not pending.
  const unknown = [...wantedNames()].filter(name =>
    discovery
      .getProviders()
      .some(({ token, instance }) => token === getRateLimiterToken(name) && isPending(instance)),
  )
  for (const type of handlerClassesOf(discovery)) {
    const handlers = handlersOf(type)
    for (const name of unknown)
      if (tokensOf(type).includes(getRateLimiterToken(name)))
        withLocation(type.name, () => void runtime.named.find(name))
    for (const [name, handler] of handlers) {
      if (hasLimitMetadata(type) || hasLimitMetadata(handler))
        withLocation(`${type.name}.${name}`, () => void runtime.handlerGuards.makeGuard(type, handler))
    }
    if (isGlobal && keepsGatewaysApart()) checkGateway(type, handlers, runtime)
  }
}

function hasLimitMetadata(holder: object): boolean {
  return limitMetadataOf(holder) !== limitMetadataOf(undefined)
}

/** Adds the place in the application to an error. */
function withLocation(where: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    const { code, summary, fix } = error as Partial<HaltError>
    if (code === undefined || summary === undefined || fix === undefined) throw error
    // Without a cause: Node would print the sentence and the stack a second time.
    throw new HaltError(code, `${where}: ${summary}`, code === 'HALT_E_DUPLICATE_POLICY' ? OTHER_NAME : fix)
  }
}

const OTHER_NAME =
  'Give it another name. If it is to replace the wider policy, add { override: true } as the last argument of @RateLimit.'
