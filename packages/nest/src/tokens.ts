/** Tokens are `Symbol.for`: an ESM and a CommonJS copy of the package may meet in one application. */

/** The token of the module's options. */
export const OPTIONS: unique symbol = Symbol.for('halt.nest.options')

/** The token of what the guard, the interceptor and the limiters are made from. */
export const APPLICATION: unique symbol = Symbol.for('halt.nest.application')

/**
 * The token of the limiter that `@InjectRateLimiter(name)` injects: for `overrideProvider` in tests.
 *
 * @param name of one of the `policies`; without it, the module's own limiter
 */
export function getRateLimiterToken(name?: string): symbol {
  return Symbol.for(name === undefined ? 'halt.nest.limiter' : `halt.nest.limiter:${name}`)
}

/** Whether a token is one of {@link getRateLimiterToken}. */
export function isLimiterToken(token: unknown): boolean {
  return typeof token === 'symbol' && /^halt\.nest\.limiter(:|$)/.test(Symbol.keyFor(token) ?? '')
}

const NAMES = Symbol.for('halt.nest.limiter.names')

/** The names of limiters that some class of the process wants injected: decorators run before modules are made. */
export function wantedNames(): Set<string> {
  const holder = globalThis as { [NAMES]?: Set<string> }
  return (holder[NAMES] ??= new Set())
}

const OURS = Symbol.for('halt.nest.ours')

/** Marks a guard or interceptor, whichever copy of the package it is from. */
export function markOurs(type: { readonly prototype: object }): void {
  Object.defineProperty(type.prototype, OURS, { value: true })
}

/** Whether a guard or interceptor, or its class, is Halt's or made from it. */
export function isOurs(enhancer: unknown): boolean {
  const holder = typeof enhancer === 'function' ? (enhancer.prototype as unknown) : enhancer
  return (holder as { [OURS]?: unknown } | null | undefined)?.[OURS] === true
}
