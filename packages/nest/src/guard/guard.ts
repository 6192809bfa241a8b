import { HaltError } from '@halt/core'
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  type OnModuleInit,
  Optional,
} from '@nestjs/common'

import type { CallGuard } from './call-guard.ts'
import { APPLICATION, markHaltEnhancer } from '../base/tokens.ts'

/**
 * Counts calls, and refuses those over the limit with an exception. Use it for a whole application as `APP_GUARD`, or for
 * one controller or resolver by `@UseGuards(HaltGuard)`. A call that passes it twice is counted once.
 *
 * @example
 * providers: [{ provide: APP_GUARD, useClass: HaltGuard }]
 */
@Injectable()
export class HaltGuard implements CanActivate, OnModuleInit {
  readonly #callGuard: CallGuard | undefined

  constructor(@Optional() @Inject(APPLICATION) application?: { readonly callGuard: CallGuard }) {
    this.#callGuard = application?.callGuard
  }

  // Not in the constructor, because a unit test of a controller may omit the module.
  onModuleInit(): void {
    assertModule(this.#callGuard)
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return assertModule(this.#callGuard).enter(context)
  }
}

markHaltEnhancer(HaltGuard)

/** The guard that `@RateLimit` brings. It passes calls that another guard has counted. */
@Injectable()
export class RouteGuard extends HaltGuard {}

function assertModule(callGuard: CallGuard | undefined): CallGuard {
  if (callGuard !== undefined) return callGuard
  throw new HaltError(
    'HALT_E_MODULE',
    'HaltGuard or @RateLimit is used without HaltModule.',
    'Import HaltModule.forRoot({ … }) in the root module.',
  )
}
