import { RateLimiter } from '@halt/core'

const pending = new WeakSet<object>()

/** Makes a limiter that is looked up at its first use, because its name may not have a policy yet. */
export function pendingLimiter(find: () => RateLimiter): RateLimiter {
  const get = (_: object, name: string | symbol): unknown => {
    // Nest reads other properties of a provider, such as `then` and lifecycle hooks. GraphQL reads the constructor of each.
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

/** True if a limiter is one of {@link pendingLimiter}. */
export function isPending(limiter: unknown): boolean {
  return typeof limiter === 'object' && limiter !== null && pending.has(limiter)
}
