import { setTimeout as sleep } from 'node:timers/promises'

import { budget } from '@halt/ai-sdk'
import { isLimited, type RateLimiter } from '@halt/core'
import { streamText, wrapLanguageModel } from 'ai'

import { localModel } from './local-model.ts'
import { CHUNK, MOST, PART, price, PROMPT, TEAM, TTL } from './money.ts'

/** Hears of an agent. */
export interface Listener {
  /** A stream has begun, or has ended. */
  readonly changed: (by: 1 | -1) => void
  readonly answered: () => void
}

/** Milliseconds for which the shortest answer must be refused before an agent gives up: longer than units stay held. */
const PATIENCE = 3000

/** Asks the model again and again until the budget is gone. An agent that is refused asks for a shorter answer, and then waits. */
export async function work(
  limiter: RateLimiter,
  url: string,
  { changed, answered }: Listener,
): Promise<void> {
  const middleware = budget({
    limiter,
    identity: TEAM,
    price,
    most: MOST,
    ahead: PART,
    ttl: TTL,
    chunk: CHUNK,
    input: () => PROMPT,
    tokens: text => text.length / 4,
  })
  const model = wrapLanguageModel({ model: localModel(url), middleware })
  let most = MOST
  let refusedSince: number | undefined
  while (refusedSince === undefined || performance.now() - refusedSince < PATIENCE) {
    let error: unknown
    changed(1)
    const onError = (event: { error: unknown }): void => void (error = event.error)
    const { textStream } = streamText({
      model,
      prompt: 'Go on.',
      maxOutputTokens: most,
      maxRetries: 0,
      onError,
    })
    for await (const _ of textStream) refusedSince = undefined
    changed(-1)
    if (error === undefined) {
      answered()
      continue
    }
    // This process was stopped for longer than it holds units, which a busy machine may do.
    if ((error as { code?: unknown }).code === 'HALT_E_HOLD_LOST') continue
    if (!isLimited(error)) throw error
    if (most > PART) most = Math.max(PART, Math.floor(most / 2))
    else {
      refusedSince ??= performance.now()
      await sleep(100)
    }
  }
}
