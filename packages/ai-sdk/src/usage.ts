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

/** Tokens as models report them: a sum with its parts, or the sum alone, as models of the specification v2 do. */
type Tokens = number | Readonly<Partial<Record<Part, number | null>>> | null | undefined
type Part = 'total' | 'noCache' | 'cacheRead' | 'cacheWrite' | 'text' | 'reasoning'

/**
 * The usage that a model reported, undefined if it did not report it whole.
 *
 * @param isGenerated whether something was generated, so that an output of 0 tokens is no report
 */
export function readUsage(reported: unknown, isGenerated: boolean): ModelUsage | undefined {
  const { inputTokens, outputTokens, cachedInputTokens } = (reported ?? {}) as Record<string, Tokens>
  const { total, noCache, cacheRead, cacheWrite } = partsOf(inputTokens)
  const cached = cacheRead ?? partsOf(cachedInputTokens).total ?? 0
  const written = cacheWrite ?? 0
  const input = noCache ?? (typeof total === 'number' ? restOf(total, cached + written) : undefined)
  const { total: all, text, reasoning } = partsOf(outputTokens)
  const output = all ?? (typeof (text ?? reasoning) === 'number' ? (text ?? 0) + (reasoning ?? 0) : undefined)
  if (input === undefined || output === undefined || (isGenerated && output === 0)) return undefined
  const usage = { input, cached, written, output }
  return Object.values(usage).every(tokens => Number.isSafeInteger(tokens) && tokens >= 0) ? usage : undefined
}

function partsOf(tokens: Tokens): Exclude<Tokens, number | null | undefined> {
  return typeof tokens === 'number' ? { total: tokens } : (tokens ?? {})
}

// Some providers count the tokens of their cache in the sum, others beside it.
function restOf(total: number, ofCache: number): number {
  return total < ofCache ? total : total - ofCache
}

/** Tokens as the AI SDK reports them. */
export function reportOf(input: number | undefined, output: number | undefined): ReportedUsage {
  return {
    inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: output, text: undefined, reasoning: undefined },
  }
}

/** An answer of which the AI SDK can read the usage: it throws where a model has reported none. */
export function withUsage<T extends { readonly usage: ReportedUsage }>(answer: T): T {
  const { usage } = answer as { readonly usage?: ReportedUsage }
  return usage ? answer : { ...answer, usage: reportOf(undefined, undefined) }
}
