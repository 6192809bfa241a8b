import type { HaltWarning } from '@halt/core'
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type Type,
  UseGuards,
} from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { describe, expect, it } from 'vitest'

import { HaltGuard, RateLimit } from '../../src/index.ts'
import { type AppParts, platforms, startApp } from '../app.ts'

interface Request {
  headers: Record<string, string>
  user?: { id: string }
  account?: string
}

@Injectable()
class AuthGuard implements CanActivate {
  canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest<Request>()
    const id = request.headers['x-user']
    if (id !== undefined) Object.assign(request, { user: { id }, account: id })
    return true
  }
}

const perUser = { name: 'late_user', limit: 100, window: 60, keyStrategy: 'user' } as const
const monthly = { name: 'late_month', limit: 100, period: 'monthly' } as const
const perAddress = { name: 'late_address', limit: 100, window: 60 } as const

@Controller()
class OnHandler {
  @Get()
  @UseGuards(AuthGuard)
  @RateLimit(perUser)
  get() {}
}

@Controller()
@UseGuards(AuthGuard)
@RateLimit('month')
class OnClass {
  @Get()
  get() {}
}

@Controller()
class ByAddress {
  @Get()
  @UseGuards(AuthGuard)
  @RateLimit(perAddress)
  get() {}
}

/** Asks an application once for each user. Gives its warnings. */
async function warningsOf(
  controller: Type,
  users: readonly (string | undefined)[],
  parts: AppParts = {},
  options: object = {},
): Promise<HaltWarning[]> {
  const warnings: HaltWarning[] = []
  const warn = (warning: HaltWarning) => void warnings.push(warning)
  const given = { policy: { name: 'late_all', limit: 100, window: 60 }, policies: { month: monthly }, warn }
  const url = await startApp({ ...given, ...options }, { controllers: [controller], ...parts })
  for (const user of users) await fetch(url, user === undefined ? {} : { headers: { 'X-User': user } })
  return warnings.filter(({ code }) => code.endsWith('LATE_USER'))
}

describe.each(platforms)('HALT_W_LATE_USER on %s', platform => {
  it('the warning names the handler whose own guard finds the user after the global guard', async () => {
    const [warning, ...others] = await warningsOf(OnHandler, [undefined, 'ann', 'ann'], { platform })
    expect(others).toEqual([])
    expect(warning).toMatchObject({
      code: 'HALT_W_LATE_USER',
      message: expect.stringContaining('"late_user" counts the users of OnHandler.get by address'),
      fix: expect.stringContaining('APP_GUARD'),
    })
  })
})

describe('HALT_W_LATE_USER', () => {
  it('HALT_W_LATE_USER is emitted for a quota by name on a class', async () => {
    expect(await warningsOf(OnClass, ['ann'])).toHaveLength(1)
  })

  it('HALT_W_LATE_USER is emitted if userId finds the user later', async () => {
    const userId = ({ account }: Request) => account
    expect(await warningsOf(OnHandler, ['ann'], {}, { userId })).toHaveLength(1)
  })

  it('HALT_W_LATE_USER is not emitted without a user, or for a policy by address', async () => {
    expect(await warningsOf(OnHandler, [undefined, undefined])).toEqual([])
    expect(await warningsOf(ByAddress, ['ann'])).toEqual([])
    const userId = () => undefined
    expect(await warningsOf(OnHandler, ['ann'], {}, { userId })).toEqual([])
  })

  it('HALT_W_LATE_USER is not emitted if authentication comes before the global guard', async () => {
    const guards = [AuthGuard, HaltGuard].map(useClass => ({ provide: APP_GUARD, useClass }))
    expect(await warningsOf(OnHandler, ['ann'], { guarded: false, providers: guards })).toEqual([])
  })

  it('HALT_W_LATE_USER is not emitted without a global guard, because @RateLimit counts last', async () => {
    expect(await warningsOf(OnHandler, ['ann'], { guarded: false })).toEqual([])
  })
})
