import type { Decision } from '@halt/core'

/** The result of `limit.check`, for middleware. */
export interface Checked {
  /** The answer to a refused request; undefined if the request may go on. */
  readonly response: Response | undefined
  /** The headers for the app's own response. A refusal has them already. */
  readonly headers: Readonly<Record<string, string>>
  /** Undefined if the request was not counted, because it was skipped or is a preflight. */
  readonly decision: Decision | undefined
  /**
   * Adds the headers to the response of the app, and tells the limiter that the app has answered: `chargeWhen` and policies that
   * count requests in flight need it. Returns the response to send.
   */
  finish(response: Response): Response
}
