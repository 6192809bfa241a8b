import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common'
import { finalize, map, type Observable, tap } from 'rxjs'

import { type CallEnding, takeEnding } from './call-state.ts'
import { isAsyncIterator, watched } from './subscription.ts'
import { markOurs } from './tokens.ts'

/**
 * Tells the end of calls on transports without a response to watch, where something depends on it: requests in flight,
 * `chargeWhen`. `@RateLimit` and `HaltModule` bring it where it is needed.
 */
@Injectable()
export class HaltInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const ending = takeEnding(context)
    return ending === undefined ? next.handle() : until(next.handle(), ending)
  }
}

markOurs(HaltInterceptor)

/** Tells what a handler gave or threw, and when the call is over; only that when nobody waits for it any more. */
function until(handled: Observable<unknown>, ending: CallEnding): Observable<unknown> {
  let value: unknown
  let goesOn = false
  return handled.pipe(
    map(given => {
      if (!isAsyncIterator(given)) return (value = given)
      // A GraphQL subscription has begun well, and lasts until its iterator ends.
      if (!goesOn) ending.decided({ statusCode: 200 })
      goesOn = true
      return watched(given, () => ending.leave())
    }),
    tap({
      complete: () => goesOn || ending.decided({ statusCode: 200, value }),
      error: (error: unknown) => ending.decided({ statusCode: statusOf(error), error }),
    }),
    finalize(() => {
      if (!goesOn) ending.leave()
    }),
  )
}

function statusOf(error: unknown): number {
  try {
    const status = (error as { getStatus?(): unknown } | null)?.getStatus?.()
    return typeof status === 'number' ? status : 500
  } catch {
    return 500
  }
}
