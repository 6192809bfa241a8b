import type { Policy } from '@halt/core'

import type { Repeats, ToolLimiter } from './options.ts'

/** The policy that counts the calls with the same arguments. */
export const REPEATS = 'tool_repeats'
/** The calls whose policies are kept. Those of further ones are made anew. */
const MOST_KEPT = 1000
const DEFAULT_WINDOW = '10m'

/** The limits of the calls of a tool, where the same call may come only so often. */
export interface RepeatLimits {
  /** Limits as a call has them. */
  readonly sample: readonly Policy[]
  /** The limits of a call with these arguments. Undefined for arguments that have no text. */
  of(args: unknown): readonly Policy[] | undefined
}

/**
 * Counts the calls with the same arguments by a policy whose counter has the digest of the arguments in its name. So all processes
 * count them together, and in one step with the other limits. The arguments themselves are stored nowhere.
 */
export function repeatLimits(
  tool: string,
  others: readonly Policy[],
  repeats: Repeats | undefined,
  limiter: Pick<ToolLimiter, 'digestOf'>,
): RepeatLimits | undefined {
  if (repeats === undefined) return undefined
  const { limit, window = DEFAULT_WINDOW, mode } = repeats
  const withCounter = (digest: string): readonly Policy[] =>
    Object.freeze([
      ...others,
      Object.freeze({
        name: REPEATS,
        counter: `${REPEATS}.${digest}`,
        limit,
        window,
        mode,
        algorithm: 'sliding-window' as const,
        counts: 'requests' as const,
        keyStrategy: 'user' as const,
      }),
    ])
  const kept = new Map<string, readonly Policy[]>()
  return {
    sample: withCounter('any'),
    of(args) {
      const text = canonical([tool, args])
      if (text === undefined) return undefined
      // The digest of an API key is the one that is never left out, and it uses the limiter's secret.
      const digest = limiter.digestOf({ apiKey: text }) as string
      let limits = kept.get(digest)
      kept.delete(digest)
      limits ??= withCounter(digest)
      kept.set(digest, limits)
      if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value as string)
      return limits
    },
  }
}

/** A text that is the same for values with the same JSON, in whatever order the names of objects come. Undefined if there is none. */
function canonical(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_name, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    )
  } catch {
    // A circle, a bigint, a getter that throws.
    return undefined
  }
}
