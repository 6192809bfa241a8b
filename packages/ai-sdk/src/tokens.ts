import type { CallParams } from './model.ts'

const encoder = new TextEncoder()

/** An estimate of the tokens of a text: a token for four bytes of UTF-8. It may be a fraction. */
export function estimateTokens(text: string): number {
  return encoder.encode(text).length / 4
}

/** The text of the prompt and of the tools as JSON, without the data of files. */
export function textOf({ prompt, tools }: CallParams): string {
  return JSON.stringify({ prompt, tools }, withoutData)
}

// Providers count images and other files in ways of their own, not by their bytes.
function withoutData(this: unknown, key: string, value: unknown): unknown {
  const { type } = this as { readonly type?: unknown }
  const isFile = key === 'data' && typeof type === 'string' && /^(file|image|media)/.test(type)
  return isFile ? undefined : value
}
