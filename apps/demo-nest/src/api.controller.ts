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

/** The limits by user, which some routes skip. */
export const OF_USERS: readonly string[] = [PLANS.free.name, PLANS.pro.name, COMPANY_MONTH.name]

/** The HTTP routes, and one handler for other services. */
@Controller()
export class ApiController {
  readonly #accounts: Accounts

  constructor(@Inject(Accounts) accounts: Accounts) {
    this.#accounts = accounts
  }

  // Not counted, so that a refused health check never takes a busy instance out of service.
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

  // Heavy work: a report costs five units of the plan and of the company's quota, and one request of the address limit.
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
