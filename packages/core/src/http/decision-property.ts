import { decisionOf } from './passed-guards.ts'

/**
 * The accessor of `req.halt`, defined once for all requests of one Express. It reads the binding decision that the guards
 * have noted.
 *
 * Express changes the prototype of each request, which gives each request a hidden class of its own. Adding a property to
 * such a request takes longer than several checks.
 */
const halt: PropertyDescriptor & ThisType<{ readonly rawHeaders?: unknown }> = {
  configurable: true,
  enumerable: true,
  get() {
    return Array.isArray(this.rawHeaders) ? decisionOf(this) : undefined
  },
  set(value) {
    Object.defineProperty(this, 'halt', { value, configurable: true, enumerable: true, writable: true })
  },
}

let lastPrototype: unknown
let hasProperty = false

/** True if a request has the accessor `halt`: requests of Express do, requests of other servers do not. */
export function hasDecisionProperty(request: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(request)
  if (prototype !== lastPrototype) {
    lastPrototype = prototype
    const root = rootOf(prototype)
    hasProperty =
      root !== undefined && (Object.hasOwn(root, 'halt') || Reflect.defineProperty(root, 'halt', halt))
  }
  return hasProperty
}

// Walks from the prototype of the requests of an app, which has `app`, to the prototype of all requests of its Express. Above it
// is the class of Node, which other servers use too.
function rootOf(prototype: unknown): object | undefined {
  let root = prototype as object | null
  if (root === null || !Object.hasOwn(root, 'app')) return undefined
  while (root !== null) {
    const above = Object.getPrototypeOf(root) as object | null
    if (above !== null && Object.hasOwn(above, 'constructor'))
      return above.constructor.name === 'IncomingMessage' ? root : undefined
    root = above
  }
  return undefined
}
