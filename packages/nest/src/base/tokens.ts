/** Tokens use `Symbol.for`, because an ESM and a CommonJS copy of the package may meet in one application. */

/** The token of the module's options. */
export const OPTIONS: unique symbol = Symbol.for('halt.nest.options')

/** The token of the provider that the guard, the interceptor and the limiters share. */
export const APPLICATION: unique symbol = Symbol.for('halt.nest.application')

/**
 * The token of the limiter that `@InjectRateLimiter(name)` injects, for `overrideProvider` in tests.
 *
 * @param name a key of `policies`. Without it: the limiter of the module
 */
export function getRateLimiterToken(name?: string): symbol {
  return Symbol.for(name === undefined ? 'halt.nest.limiter' : `halt.nest.limiter:${name}`)
}

/** True if a token is one of {@link getRateLimiterToken}. */
export function isLimiterToken(token: unknown): boolean {
  return typeof token === 'symbol' && /^halt\.nest\.limiter(:|$)/.test(Symbol.keyFor(token) ?? '')
}

const NAMES = Symbol.for('halt.nest.limiter.names')

/** The names of limiters that classes of the process have injected. Decorators run before modules are made. */
export function wantedNames(): Set<string> {
  const holder = globalThis as { [NAMES]?: Set<string> }
  return (holder[NAMES] ??= new Set())
}

const HALT_ENHANCER = Symbol.for('halt.nest.enhancer')

/** Marks the class of a guard or interceptor as ours, for every copy of the package. */
export function markHaltEnhancer(type: { readonly prototype: object }): void {
  Object.defineProperty(type.prototype, HALT_ENHANCER, { value: true })
}

/** True if a guard or interceptor, or its class, is ours or a subclass of ours. */
export function isHaltEnhancer(enhancer: unknown): boolean {
  const holder = typeof enhancer === 'function' ? (enhancer.prototype as unknown) : enhancer
  return (holder as { [HALT_ENHANCER]?: unknown } | null | undefined)?.[HALT_ENHANCER] === true
}
