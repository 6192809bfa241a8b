import type { Policy } from '@halt/core'
import { callAtOnce, type RequestView } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { decisionOf, handlerName } from '../calls/call.ts'
import { limitMetadataOf } from '../policies/limit-metadata.ts'
import type { ContextCallback } from '../options/policy.ts'
import type { Runtime } from './runtime.ts'

type Handler = ReturnType<ExecutionContext['getHandler']>

/** Calls of a handler that are looked at. Those of people who never log in say nothing. */
const MAX_LOOKS = 100

/**
 * Warns of a handler whose `@RateLimit` counts users, if the global guard has counted the call by its address, and a guard of
 * the handler has found the user since.
 */
export class LateUserCheck {
  readonly #runtime: Runtime
  readonly #looks = new WeakMap<Handler, number>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Looks at a call that was counted before the guard of `@RateLimit`, which runs after the other guards of the handler. */
  look(context: ExecutionContext): void {
    const handler = context.getHandler() as Handler | undefined
    if (handler === undefined) return
    const looks = this.#looks.get(handler) ?? 0
    if (looks >= MAX_LOOKS) return
    this.#looks.set(handler, this.#isClear(context) ? MAX_LOOKS : looks + 1)
  }

  #isClear(context: ExecutionContext): boolean {
    const names = [context.getClass(), context.getHandler()].flatMap(holder => this.#countingUsers(holder))
    if (names.length === 0) return true
    const verdict = decisionOf(context)?.verdicts.find(({ policy }) => names.includes(policy))
    if (verdict === undefined) return false
    if (verdict.key.startsWith('user:')) return true
    if (!verdict.key.startsWith('ip:') || !this.#hasUser(this.#runtime.read(context).view)) return false
    this.#runtime.limiter.warn({
      code: 'HALT_W_LATE_USER',
      message: `The policy "${verdict.policy}" counts the users of ${handlerName(context)} by address, because the global HaltGuard runs before the guard that finds the user.`,
      fix: 'Make that guard an APP_GUARD too, and list it before HaltGuard.',
    })
    return true
  }

  /** The names of the policies that the decorators of a class or handler add, and that count users. */
  #countingUsers(holder: object): string[] {
    const { named } = this.#runtime
    const given = limitMetadataOf(holder).limits.flatMap(({ limits }) => limits)
    const policies = given.flatMap(limit => {
      if (typeof limit !== 'string') return [limit]
      return named.has(limit) ? named.find(limit) : []
    })
    return policies.filter(countsUsers).map(({ name }) => name)
  }

  #hasUser({ user, request, context }: RequestView): boolean {
    const { limiter } = this.#runtime
    const userId = limiter.options.userId as ContextCallback<unknown, unknown> | undefined
    const given = (request ?? {}) as { readonly user?: unknown; readonly userId?: unknown }
    const found =
      userId === undefined
        ? (user ?? given.user ?? given.userId)
        : callAtOnce(limiter.warn, 'userId', () => userId(request, context as ExecutionContext))
    return found !== undefined && found !== null
  }
}

function countsUsers(policy: Policy): boolean {
  const { keyExtractor, keyStrategy = 'period' in policy ? 'user' : 'ip' } = policy
  return keyExtractor === undefined && (keyStrategy === 'user' || keyStrategy === 'composite')
}
