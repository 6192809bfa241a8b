import { setTimeout as sleep } from 'node:timers/promises'

/** The longest answer, tokens: what a call reserves beside its prompt. */
export const LONGEST = 60

const ANSWER =
  'A bucket holds as many tokens as you may spend at once , and time fills it again : so a patient client is never refused .'

/** Tokens of a prompt, about: a tokenizer would know. */
export function tokensOf(prompt: string): number {
  return Math.max(1, Math.ceil(prompt.length / 4))
}

/** Generates an answer, a token each 10 ms: stands for a model. */
export async function* generate(): AsyncGenerator<string, void, undefined> {
  for (const token of ANSWER.split(' ')) {
    await sleep(10)
    yield token
  }
}
