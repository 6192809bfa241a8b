import type { Decision } from '@halt/core'
import { Accounts, COMPANY_MONTH, PLANS } from '@halt/demo-kit'
import { RateLimit, RateLimitCost, RateLimitDecision, SkipRateLimit } from '@halt/nest'
import {
  BadRequestException,
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Post,
  Req,
  UnauthorizedException,
} from '@nestjs/common'
import { MessagePattern } from '@nestjs/microservices'

import type { MaybeUser } from './demo-auth.ts'
import { RENDERS } from './policies.ts'

/** What counts by user, for routes that count only what everybody may. */
export const OF_USERS: readonly string[] = [PLANS.free.name, PLANS.pro.name, COMPANY_MONTH.name]

/** The HTTP routes, and one handler for other services. */
@Controller()
export class ApiController {
  readonly #accounts: Accounts

  constructor(@Inject(Accounts) accounts: Accounts) {
    this.#accounts = accounts
  }

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

  // Heavy work: one report takes what five quotes take of a plan and of a month, and one request of what everybody has.
  @Get('reports')
  @RateLimitCost({ [PLANS.free.name]: 5, [PLANS.pro.name]: 5, [COMPANY_MONTH.name]: 5 })
  reports(@RateLimitDecision() decision: Decision): object {
    return { report: 'All is well.', left: decision.remaining }
  }

  @Post('plan')
  @HttpCode(200)
  @SkipRateLimit(...OF_USERS)
  plan(@Req() { user }: MaybeUser, @Body('plan') plan: unknown): object {
    if (!this.#accounts.move(user, plan)) throw new BadRequestException()
    return { plan }
  }

  @MessagePattern('render')
  @RateLimit(RENDERS, { override: true })
  render(page: unknown): string {
    return `rendered ${String(page)}`
  }
}
