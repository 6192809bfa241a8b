import { callForId, readId, warnOfCallback } from '../base/callbacks.ts'
import { messageOf } from '../base/errors.ts'
import type { CallerSettings } from './caller-settings.ts'
import type { RequestView } from './view.ts'

/** The id of a request's authenticated user; undefined if it has none. */
export function findUser(view: RequestView, { userId, warn }: CallerSettings): string | undefined {
  if (userId !== undefined)
    return callForId(warn, 'userId', () => userId(view.request as never, view.context))
  try {
    return idOf(view)
  } catch (error) {
    // A session's getter may throw. The request must be decided even then.
    warnOfCallback(
      warn,
      `request.user threw: ${messageOf(error)}.`,
      'Return undefined where a request has no value.',
    )
    return undefined
  }
}

function idOf({ user: own, request }: RequestView): string | undefined {
  const given = (request ?? {}) as { user?: unknown; userId?: unknown }
  const user = (own ?? given.user ?? {}) as { id?: unknown; sub?: unknown }
  return readId(user.id) ?? readId(user.sub) ?? readId(given.userId)
}
