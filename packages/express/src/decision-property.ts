import { IncomingMessage } from 'node:http'

import { decisionOf } from '@halt/core/http'

/**
 * `req.halt`, for all requests of an Express at once: what the guards before have noted.
 *
 * Express changes the prototype of each request, which gives each a hidden class of its own: to add a property to one takes
 * longer than several checks.
 */
const halt: PropertyDescriptor & ThisType<IncomingMessage> = {
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

/** Whether a request tells its decision by itself: Express's do, those of other servers do not. */
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

// From the prototype of an app's requests, which has `app`, up to that of all requests of its Express.
function rootOf(prototype: unknown): object | undefined {
  let root = prototype as object | null
  if (root === null || !Object.hasOwn(root, 'app')) return undefined
  while (root !== null) {
    const above: unknown = Object.getPrototypeOf(root)
    if (above === IncomingMessage.prototype) return root
    root = above as object | null
  }
  return undefined
}
