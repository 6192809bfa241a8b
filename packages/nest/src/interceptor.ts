import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common'
import { finalize, map, type Observable, tap } from 'rxjs'

import type { HandlerResult } from './options.ts'
import { type Leave, takeLeave } from './passage.ts'
import { isAsyncIterator, watched } from './subscription.ts'
import { markOurs } from './tokens.ts'

/**
 * Tells the end of calls on transports without a response to watch, where something depends on it: requests in flight,
 * `chargeWhen`. `@RateLimit` and `HaltModule` bring it where it is needed.
 */
@Injectable()
export class HaltInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const leave = takeLeave(context)
    return leave === undefined ? next.handle() : until(next.handle(), leave)
  }
}

markOurs(HaltInterceptor)

/** Tells when a handler is done: what it gave or threw, or nothing when nobody waits for it any more. */
function until(handled: Observable<unknown>, leave: Leave): Observable<unknown> {
  let result: HandlerResult | undefined
  let value: unknown
  let goesOn = false
  return handled.pipe(
    map(given => {
      if (!isAsyncIterator(given)) return (value = given)
      // A GraphQL subscription lasts until its iterator ends, not until it begins.
      goesOn = true
      return watched(given, () => leave({ statusCode: 200 }))
    }),
    tap({
      complete: () => (result = { statusCode: 200, value }),
      error: (error: unknown) => (result = { statusCode: statusOf(error), error }),
    }),
    finalize(() => {
      if (!goesOn) leave(result)
    }),
  )
}

function statusOf(error: unknown): number {
  const status = (error as { getStatus?(): unknown } | null)?.getStatus?.()
  return typeof status === 'number' ? status : 500
}
