import type { ReportedUsage } from './model.ts'

/** The tokens of a call by class. Each token belongs to one class. */
export interface ModelUsage {
  /** Tokens of the input, without those of the other classes that have a price. */
  readonly input: number
  /** Tokens of the input that the provider read from its cache. */
  readonly cached: number
  /** Tokens of the input that the provider wrote into its cache. */
  readonly written: number
  /** Tokens of the output, those of reasoning included. */
  readonly output: number
}

/**
 * The usage that a model reported, undefined if it did not report it whole.
 *
 * @param isGenerated whether something was generated, so that an output of 0 tokens is no report
 */
export function readUsage(
  { inputTokens, outputTokens }: ReportedUsage,
  isGenerated: boolean,
): ModelUsage | undefined {
  const { total, noCache, cacheRead = 0, cacheWrite = 0 } = inputTokens
  const input = noCache ?? (total === undefined ? undefined : Math.max(0, total - cacheRead - cacheWrite))
  const { text, reasoning } = outputTokens
  const output =
    outputTokens.total ??
    (text === undefined && reasoning === undefined ? undefined : (text ?? 0) + (reasoning ?? 0))
  if (input === undefined || output === undefined || (isGenerated && output === 0)) return undefined
  const usage = { input, cached: cacheRead, written: cacheWrite, output }
  return Object.values(usage).every(tokens => Number.isSafeInteger(tokens) && tokens >= 0) ? usage : undefined
}

/** Estimated tokens as the AI SDK reports them. */
export function reportOf(input: number, output: number): ReportedUsage {
  return {
    inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: output, text: undefined, reasoning: undefined },
  }
}
