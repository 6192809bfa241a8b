import type { Limiter } from '@halt/core'
import { runCallback, answerIfUnanswered } from '@halt/core/http'

import { isException } from './exception.ts'
import { isOver, send, setStatus, watchAnswer } from './response.ts'

const FIX =
  'Such a call gets the default answer. To change it, throw an HttpException, or answer and return the response.'

/** A refused call and its default answer. */
export interface RefusedCall {
  readonly status: number
  readonly response: object | undefined
  readonly byDefault: () => Error
}

/**
 * Calls the `onLimited` option for a refused call. It may throw an exception, answer on the response, or return the payload.
 * Rejects with the exception that exception filters should see.
 */
export async function callOnLimited(
  limiter: Limiter,
  onLimited: () => unknown,
  { status, response, byDefault }: RefusedCall,
): Promise<never> {
  const isAnswered = response === undefined ? (): boolean => false : watchAnswer(response)
  let thrown: unknown
  const ask = async (): Promise<unknown> => {
    if (response !== undefined) setStatus(response, status)
    try {
      const given = onLimited()
      // Do not await a reply of Fastify: it settles when it is sent, which may take longer than a callback may.
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
      // Throw errors, because Fastify would answer an error with 500.
      if (value instanceof Error) throw value
      send(response, value)
    }
    const sent = await runCallback(limiter, 'The answer of onLimited', FIX, answer)
    if (sent.failed && !isAnswered()) throw byDefault()
  }
  // While the answer stands, leave the promise pending, so that neither the handler nor an exception filter runs.
  return new Promise<never>((_, reject) => {
    answerIfUnanswered(
      limiter,
      () => isAnswered() || isOver(response),
      () => reject(byDefault()),
    )
  })
}
