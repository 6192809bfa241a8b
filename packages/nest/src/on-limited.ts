import type { RateLimiter } from '@halt/core'
import { runCallback, answerIfUnanswered } from '@halt/core/http'

import { isException } from './exception.ts'
import { isOver, send, setStatus, watchAnswer } from './response.ts'

const FIX =
  'Such a call gets the default answer. For another one, throw an HttpException, or answer and return the response.'

/** A refused call, and how it is answered by default. */
export interface RefusedCall {
  readonly status: number
  readonly response: object | undefined
  readonly byDefault: () => Error
}

/**
 * Lets the application answer a refused call: by an exception of its own, on the response, or by what it returns. Rejects
 * with what exception filters are to see.
 */
export async function askOnLimited(
  limiter: RateLimiter,
  onLimited: () => unknown,
  { status, response, byDefault }: RefusedCall,
): Promise<never> {
  const isAnswered = response === undefined ? (): boolean => false : watchAnswer(response)
  let thrown: unknown
  const ask = async (): Promise<unknown> => {
    if (response !== undefined) setStatus(response, status)
    try {
      const given = onLimited()
      // Not awaited: a reply of Fastify's is a promise of being sent, which may take longer than a callback may, or for ever.
      return given === response ? undefined : await given
    } catch (error) {
      if (!isException(error)) throw error
      thrown = error
      return undefined
    }
  }
  const said = await runCallback(limiter, 'onLimited', FIX, ask)
  if (thrown !== undefined) throw thrown as Error
  if (response === undefined || (said.failed && !isAnswered())) throw byDefault()
  const value = said.failed ? undefined : said.value
  if (value !== undefined && value !== response && !isAnswered()) {
    const answer = (): void => {
      // Fastify would answer an error by its error handler, with 500.
      if (value instanceof Error) throw value
      send(response, value)
    }
    const sent = await runCallback(limiter, 'The answer of onLimited', FIX, answer)
    if (sent.failed && !isAnswered()) throw byDefault()
  }
  // Neither the handler nor an exception filter has anything to add to an answer.
  return new Promise<never>((_, reject) => {
    answerIfUnanswered(
      limiter,
      () => isAnswered() || isOver(response),
      () => reject(byDefault()),
    )
  })
}
