/**
 * The metadata keys of Nest, which are the same in all its versions. They are not imported, because that would make optional
 * peers required, and their paths differ.
 */
export const GUARDS = '__guards__'
export const INTERCEPTORS = '__interceptors__'
export const CONTROLLER = '__controller__'
/** On controllers and handlers: the path, or a list of paths. */
export const PATH = 'path'
/** On controllers and handlers: the version, or a list of versions. */
export const VERSION = '__version__'
/** On handlers: the HTTP method. */
export const ROUTE = 'method'
/** On handlers: the message pattern of a microservice. */
export const PATTERN = 'microservices:pattern'
export const GATEWAY = 'websockets:is_gateway'
/** On message handlers of a gateway. */
export const MESSAGE = 'websockets:message_mapping'
/** On field handlers of a resolver. */
export const FIELD = 'graphql:resolver_type'

const TYPES = 'design:paramtypes'
const PARAMETERS = 'self:paramtypes'
const PROPERTIES = 'self:properties_metadata'

/** The tokens that a class has injected, by decorators or by the types of its constructor parameters. */
export function tokensOf(type: object): readonly unknown[] {
  const types = (Reflect.getMetadata(TYPES, type) as unknown[] | undefined) ?? []
  const parameters = (Reflect.getMetadata(PARAMETERS, type) as { param: unknown }[] | undefined) ?? []
  const properties = (Reflect.getMetadata(PROPERTIES, type) as { type: unknown }[] | undefined) ?? []
  return [...types, ...parameters.map(({ param }) => param), ...properties.map(({ type: token }) => token)]
}

/** The guards or interceptors bound to a class or handler. */
export function boundTo(holder: object, key: typeof GUARDS | typeof INTERCEPTORS): readonly unknown[] {
  return (Reflect.getMetadata(key, holder) as readonly unknown[] | undefined) ?? []
}

/** True if a class or handler has a piece of metadata. */
export function has(holder: object, key: string): boolean {
  return Reflect.getMetadata(key, holder) !== undefined
}

/** True if a piece of metadata of a class or handler is a list of two or more. */
export function isList(holder: object, key: string): boolean {
  const value: unknown = Reflect.getMetadata(key, holder)
  return Array.isArray(value) && value.length > 1
}
