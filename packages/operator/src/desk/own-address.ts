import type { AnyLimiter } from '../options.ts'

/**
 * The address of an operator, as a limiter finds it. Undefined if the request of the framework does not tell.
 *
 * @param context the request of the framework
 */
export async function ownAddressOf(limiter: AnyLimiter, context: unknown): Promise<string | undefined> {
  if (typeof context !== 'object' || context === null) return undefined
  try {
    const { hops } = await limiter.explain(context as never)
    return hops.findLast(({ parsed }) => parsed !== undefined)?.parsed?.text
  } catch {
    // The policy function may expect another kind of request.
    return undefined
  }
}
