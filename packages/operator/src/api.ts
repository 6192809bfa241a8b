import { badRequest } from './answer.ts'
import { readBody } from './body.ts'
import type { Desk } from './desk/desk.ts'

/** The operator who calls, and the framework's request. */
interface Caller {
  readonly desk: Desk
  readonly name: string
  readonly context: unknown
}

type Body = Readonly<Record<string, unknown>>

const CALLS: Readonly<Record<string, (caller: Caller, body: Body) => unknown>> = {
  about: ({ desk, name }) => desk.about(name),
  feed: ({ desk, name }) => desk.feed(name),
  find: ({ desk, name }, body) => desk.find(name, body),
  standing: ({ desk, name }) => desk.standing(name),
  act: ({ desk, name, context }, body) => desk.act(name, body, context),
}

/**
 * Answers a call of the page. All are POSTs, so that no id of a client stands in an address or a log.
 *
 * @throws HaltError `HALT_E_OPERATOR`, and the codes of the parts that it calls
 */
export async function call(name: string, request: Request, caller: Caller): Promise<unknown> {
  if (!Object.hasOwn(CALLS, name))
    throw badRequest(
      `There is no call ${JSON.stringify(name)}.`,
      `Choose one of ${Object.keys(CALLS).join(', ')}.`,
    )
  const body = await readBody(request)
  return CALLS[name]?.(caller, body)
}
