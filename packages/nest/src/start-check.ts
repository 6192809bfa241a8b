import { HaltError, type HaltErrorCode } from '@halt/core'
import { type DiscoveryService, MetadataScanner } from '@nestjs/core'

import { checkGateway } from './gateway-check.ts'
import { rulesOf } from './rules.ts'
import type { Runtime } from './runtime.ts'
import { isOurs } from './tokens.ts'

type Handler = (...args: never[]) => unknown
type Constructor = abstract new (...args: never[]) => object

/**
 * Looks at every controller, resolver and gateway before the first call: wrong decorators refuse to start.
 *
 * @throws HaltError for an unknown name or a wrong policy, naming the class and handler
 */
export function checkDecorators(discovery: DiscoveryService, runtime: Runtime): void {
  const providers = discovery.getProviders()
  const isGlobal = providers.some(
    ({ token, instance }) => String(token).startsWith('APP_GUARD') && isOurs(instance),
  )
  const wrappers = [...discovery.getControllers(), ...providers]
  const types = new Set(
    wrappers.map(({ metatype, instance }) => typeOf(instance) ?? metatype).filter(isClass),
  )
  for (const type of types) {
    const handlers = handlersOf(type)
    for (const [name, handler] of handlers) {
      if (hasRules(type) || hasRules(handler))
        located(`${type.name}.${name}`, () => void runtime.planner.make(type, handler))
    }
    if (isGlobal) checkGateway(type, handlers, runtime)
  }
}

function hasRules(holder: object): boolean {
  return rulesOf(holder) !== rulesOf(undefined)
}

function handlersOf(type: Constructor): [string, Handler][] {
  const prototype = type.prototype as Record<string, Handler>
  return new MetadataScanner().getAllMethodNames(prototype).map(name => [name, prototype[name] as Handler])
}

function typeOf(instance: unknown): unknown {
  return typeof instance === 'object' && instance !== null ? instance.constructor : undefined
}

function isClass(type: unknown): type is Constructor {
  return typeof type === 'function' && typeof type.prototype === 'object' && type.prototype !== null
}

/** Says where in the application an error is. */
function located(where: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    const { code, fix, message } = error as { code?: unknown; fix?: string; message: string }
    if (typeof code !== 'string' || fix === undefined) throw error
    const what = message.slice(message.indexOf(': ') + 2, message.lastIndexOf(` ${fix}`))
    throw new HaltError(code as HaltErrorCode, `${where}: ${what}`, fix, { cause: error })
  }
}
