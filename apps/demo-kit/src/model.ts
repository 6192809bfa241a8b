import { setTimeout as sleep } from 'node:timers/promises'

/** The longest answer, in tokens, which a call reserves beside its prompt. */
export const LONGEST = 60

const ANSWER =
  'A bucket holds as many tokens as you may spend at once , and time fills it again : so a patient client is never refused .'

/** The approximate number of tokens of a prompt; stands for a tokenizer. */
export function tokensOf(prompt: string): number {
  return Math.max(1, Math.ceil(prompt.length / 4))
}

/** Generates an answer, a token every 10 ms; stands for a model. */
export async function* generate(): AsyncGenerator<string, void, undefined> {
  for (const token of ANSWER.split(' ')) {
    await sleep(10)
    yield token
  }
}
