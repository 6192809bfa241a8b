import { type DiscoveryService, MetadataScanner } from '@nestjs/core'

/** A class that Nest may call the methods of. */
export type Host = abstract new (...args: never[]) => object
/** A method of one. */
export type Handler = (...args: never[]) => unknown

/** Every class of the application: controllers, resolvers, gateways and all other providers. */
export function hostsOf(discovery: DiscoveryService): Set<Host> {
  const wrappers = [...discovery.getControllers(), ...discovery.getProviders()]
  return new Set(wrappers.map(({ metatype, instance }) => typeOf(instance) ?? metatype).filter(isHost))
}

/** The methods of a class, inherited ones included, by name. */
export function handlersOf(host: Host): [string, Handler][] {
  const prototype = host.prototype as Record<string, Handler>
  return new MetadataScanner().getAllMethodNames(prototype).map(name => [name, prototype[name] as Handler])
}

function typeOf(instance: unknown): unknown {
  return typeof instance === 'object' && instance !== null ? instance.constructor : undefined
}

function isHost(type: unknown): type is Host {
  return typeof type === 'function' && typeof type.prototype === 'object' && type.prototype !== null
}
