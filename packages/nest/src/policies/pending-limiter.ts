import { RateLimiter } from '@halt/core'

const pending = new WeakSet<object>()

/** Makes a limiter that is looked up when it is used: nobody may have given its name a policy yet. */
export function pendingLimiter(find: () => RateLimiter): RateLimiter {
  const get = (_: object, name: string | symbol): unknown => {
    // What injects it looks at much else: whether it is a promise, or has hooks. GraphQL wants a constructor of all there is.
    if (name === 'constructor') return Object
    if (!(name in RateLimiter.prototype || name === 'store' || name === 'warn')) return undefined
    const limiter = find()
    const value: unknown = Reflect.get(limiter, name, limiter)
    return typeof value === 'function' ? (value.bind(limiter) as unknown) : value
  }
  const limiter = new Proxy({}, { get }) as RateLimiter
  pending.add(limiter)
  return limiter
}

/** Whether a limiter is one that is still to be looked up. */
export function isPending(limiter: unknown): boolean {
  return typeof limiter === 'object' && limiter !== null && pending.has(limiter)
}
