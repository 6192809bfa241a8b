import type { Guard, Outcome } from '@halt/core/http'
import type { Request, Response } from 'express'

/** Lets the guard look at the response once it is sent; an aborted one is only released. */
export function settleOnEnd(res: Response, gate: Guard<Request, Response>, outcome: Outcome): void {
  let left = false
  const leave = (response: Response | undefined): void => {
    if (left) return
    left = true
    gate.leave(outcome, response)
  }
  res.once('finish', () => leave(res))
  res.once('close', () => leave(undefined))
}
