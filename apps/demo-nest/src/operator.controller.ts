import type { RateLimiter } from '@halt/core'
import { Operator, send, visitOf } from '@halt/demo-kit'
import { InjectRateLimiter, SkipRateLimit } from '@halt/nest'
import { Controller, Get, Inject, Req, Res } from '@nestjs/common'
import type { Request, Response } from 'express'

/** The operator's route. It is mounted only if there is an operator. */
@Controller()
export class OperatorController {
  readonly #operator: Operator
  @InjectRateLimiter() readonly limiter!: RateLimiter

  constructor(@Inject(Operator) operator: Operator) {
    this.#operator = operator
  }

  /** Explains why this request would be allowed or refused. No limit keeps an operator out. */
  @Get('debug/explain')
  @SkipRateLimit()
  async explain(@Req() request: Request, @Res() response: Response): Promise<void> {
    send(await this.#operator.explain(visitOf(request), () => this.limiter.explain(request)), response)
  }
}
