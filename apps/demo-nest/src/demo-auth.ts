import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'

import type { PLANS } from './policies.ts'

/** Who asks, as an authentication would find out. */
interface User {
  readonly id: string
  readonly plan: keyof typeof PLANS
}

/** A request, or a socket, that may have a user. */
export interface MaybeUser {
  user?: User | undefined
}

interface DemoRequest extends MaybeUser {
  readonly headers: Readonly<Record<string, string | undefined>>
}

/**
 * FOR THIS DEMO ONLY: believes whatever the client says about itself in `X-Demo-User` and `X-Demo-Plan`.
 *
 * In a service, your authentication stands here and sets `request.user`.
 */
@Injectable()
export class DemoAuthGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = requestOf(context)
    const id = request?.headers['x-demo-user']
    if (request !== undefined && id !== undefined) {
      request.user = { id, plan: request.headers['x-demo-plan'] === 'pro' ? 'pro' : 'free' }
    }
    return true
  }
}

function requestOf(context: ExecutionContext): DemoRequest | undefined {
  if (context.getType() === 'http') return context.switchToHttp().getRequest<DemoRequest>()
  // A GraphQL resolver's third argument is its context.
  return context.getType<string>() === 'graphql'
    ? context.getArgByIndex<{ req: DemoRequest }>(2).req
    : undefined
}
