import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common'
import { finalize, map, type Observable, tap } from 'rxjs'

import { type EndListener, takeEndListener } from '../calls/call-state.ts'
import { isAsyncIterator, callAtEnd } from './subscription.ts'
import { markHaltEnhancer } from '../base/tokens.ts'

/**
 * Reports the end of calls on transports that have no response to watch. Requests in flight and `chargeWhen` depend on it.
 * `@RateLimit` and `HaltModule` add it if it is needed.
 */
@Injectable()
export class HaltInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const endListener = takeEndListener(context)
    return endListener === undefined ? next.handle() : tellEnd(next.handle(), endListener)
  }
}

markHaltEnhancer(HaltInterceptor)

/** Reports the value or error of a handler, and then the end of the call. An abandoned call reports only its end. */
function tellEnd(handled: Observable<unknown>, endListener: EndListener): Observable<unknown> {
  let value: unknown
  let goesOn = false
  return handled.pipe(
    map(given => {
      if (!isAsyncIterator(given)) return (value = given)
      // A GraphQL subscription has succeeded once it begins, and it lasts until its iterator ends.
      if (!goesOn) endListener.decided({ statusCode: 200 })
      goesOn = true
      return callAtEnd(given, () => endListener.leave())
    }),
    tap({
      complete: () => goesOn || endListener.decided({ statusCode: 200, value }),
      error: (error: unknown) => endListener.decided({ statusCode: statusOf(error), error }),
    }),
    finalize(() => {
      if (!goesOn) endListener.leave()
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
