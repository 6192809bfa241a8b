import { type DiscoveryService, MetadataScanner } from '@nestjs/core'

/** A class that may have handlers. */
export type HandlerClass = abstract new (...args: never[]) => object
/** A method of such a class. */
export type Handler = (...args: never[]) => unknown

/** Every class of the application: controllers, resolvers, gateways and all other providers. */
export function handlerClassesOf(discovery: DiscoveryService): Set<HandlerClass> {
  const wrappers = [...discovery.getControllers(), ...discovery.getProviders()]
  return new Set(wrappers.map(({ metatype, instance }) => typeOf(instance) ?? metatype).filter(isClass))
}

/** The methods of a class, inherited ones included, by name. */
export function handlersOf(type: HandlerClass): [string, Handler][] {
  const prototype = type.prototype as Record<string, Handler>
  return new MetadataScanner().getAllMethodNames(prototype).map(name => [name, prototype[name] as Handler])
}

function typeOf(instance: unknown): unknown {
  return typeof instance === 'object' && instance !== null ? instance.constructor : undefined
}

function isClass(type: unknown): type is HandlerClass {
  return typeof type === 'function' && typeof type.prototype === 'object' && type.prototype !== null
}
