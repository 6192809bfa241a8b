import type { Decision } from '@halt/core'
import { RateLimit, RateLimitCost, RateLimitDecision, SkipRateLimit } from '@halt/nest'
import { Body, Controller, Get, HttpCode, Post, UnauthorizedException } from '@nestjs/common'
import { MessagePattern } from '@nestjs/microservices'

import { PLANS, RENDERS } from './policies.ts'

/** The HTTP routes, and one handler for other services. */
@Controller()
export class ApiController {
  // Never counted, so that a health check never turns a busy instance into a dead one.
  @Get('health')
  @SkipRateLimit()
  health(): object {
    return { status: 'up' }
  }

  @Post('auth/login')
  @HttpCode(200)
  @RateLimit('login')
  login(@Body('password') password: unknown): object {
    if (password !== 'correct horse') throw new UnauthorizedException()
    return { welcome: true }
  }

  @Get('quotes')
  quotes(@RateLimitDecision() decision: Decision): object {
    return { quote: 'Make haste slowly.', left: decision.remaining }
  }

  // Heavy work: one report takes what five quotes take of a plan, and one request of what everybody has.
  @Get('reports')
  @RateLimitCost({ [PLANS.free.name]: 5, [PLANS.pro.name]: 5 })
  reports(@RateLimitDecision() decision: Decision): object {
    return { report: 'All is well.', left: decision.remaining }
  }

  @MessagePattern('render')
  @RateLimit(RENDERS, { override: true })
  render(page: unknown): string {
    return `rendered ${String(page)}`
  }
}
