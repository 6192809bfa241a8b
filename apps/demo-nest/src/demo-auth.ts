import { Accounts, type User } from '@halt/demo-kit'
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common'

/** A request, or a socket, that may have a user. */
export interface MaybeUser {
  user?: User | undefined
}

interface DemoRequest extends MaybeUser {
  readonly headers: Readonly<Record<string, string | undefined>>
}

/**
 * FOR THIS DEMO ONLY: trusts the user that the client names in `X-Demo-User`.
 *
 * In a service, your authentication goes here and sets `request.user`.
 */
@Injectable()
export class DemoAuthGuard implements CanActivate {
  readonly #accounts: Accounts

  constructor(@Inject(Accounts) accounts: Accounts) {
    this.#accounts = accounts
  }

  canActivate(context: ExecutionContext): boolean {
    const request = requestOf(context)
    if (request !== undefined) request.user = this.#accounts.find(request.headers['x-demo-user'])
    return true
  }
}

function requestOf(context: ExecutionContext): DemoRequest | undefined {
  if (context.getType() === 'http') return context.switchToHttp().getRequest<DemoRequest>()
  // The third argument of a GraphQL resolver is its context.
  return context.getType<string>() === 'graphql'
    ? context.getArgByIndex<{ req: DemoRequest }>(2).req
    : undefined
}
