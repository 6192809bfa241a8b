import type { Limiter } from '@halt/core'
import { checkLimiter, usageOf } from '@halt/core/http'
import type { NextFunction, Request, Response } from 'express'

import { ExpressView } from './halt.ts'

/**
 * Makes a handler that tells each client what it has left of its own limits. It charges nothing.
 *
 * @throws HaltError `HALT_E_LIMITER`
 * @example
 * app.get('/usage', usage(limiter))
 */
export function usage(limiter: Limiter<Request>): (req: Request, res: Response, next: NextFunction) => void {
  checkLimiter(limiter)
  return (req, res, next) => {
    const answer = async (): Promise<void> => {
      const { headers, body } = await usageOf(limiter, new ExpressView(req, res))
      res.set(headers).json(body)
    }
    answer().catch(next)
  }
}
