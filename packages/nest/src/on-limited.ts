import type { RateLimiter } from '@halt/core'
import { callUser } from '@halt/core/http'

import { isException } from './exception.ts'
import { isSent } from './response.ts'

const FIX =
  'Such a call gets the default answer. For another one, throw an HttpException, or answer and return the response.'

/**
 * Lets the application answer a refused call: by an exception of its own, or on the response. Rejects with what exception
 * filters are to see.
 */
export async function askOnLimited(
  limiter: RateLimiter,
  onLimited: () => unknown,
  response: object | undefined,
  byDefault: () => Error,
): Promise<never> {
  let thrown: unknown
  const answer = async (): Promise<unknown> => {
    try {
      return await onLimited()
    } catch (error) {
      if (!isException(error)) throw error
      thrown = error
      return undefined
    }
  }
  const said = await callUser(limiter, 'onLimited', FIX, answer)
  if (thrown !== undefined) throw thrown as Error
  const isAnswered = response !== undefined && (isSent(response) || (!said.failed && said.value === response))
  if (!isAnswered) throw byDefault()
  // Neither the handler nor an exception filter has anything to add.
  return new Promise<never>(() => {})
}
