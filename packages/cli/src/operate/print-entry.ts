import type { ControlEntry } from '@halt/control'

import { ExitCode } from '../command/command.ts'
import { type CliIo, print, printable } from '../io.ts'
import type { OpenControl } from './control.ts'
import { instantOf, lineOf } from './list-commands.ts'
import { isUnread } from './store-address.ts'

/** Tells what an act needs to have an effect, because the document does not tell who reads it. */
const REACH_NOTE =
  'Processes whose limiters have a Control take it over within a second and a half. Others do not know of it.'

/** Sentences about an entry: what holds, and what does not hold because no process reads the entry. */
interface Says {
  readonly done: string
  readonly undone: string
}

/**
 * Prints what an act has set, until when, and which entry it replaced. Resolves to the exit code.
 *
 * @param before the entries before the act
 * @param more further lines, if processes read the entry
 */
export async function printEntry(
  entry: ControlEntry,
  before: readonly ControlEntry[],
  { done, undone }: Says,
  { address }: Pick<OpenControl, 'address'>,
  io: CliIo,
  more: readonly string[] = [],
): Promise<number> {
  const { kind, target, policy, until } = entry
  const end = until === undefined ? 'until somebody takes it back' : `until ${instantOf(until)}`
  const replaced = before.find(
    other => other.kind === kind && other.target === target && other.policy === policy,
  )
  await print(io, [
    // An entry that no process reads changes nothing yet.
    ...(isUnread(address)
      ? [printable(`Written, but no process reads it here: ${undone}.`)]
      : [printable(`${done}, ${end}.`), ...more, REACH_NOTE]),
    ...(replaced === undefined ? [] : [`It replaces: ${lineOf(kind, replaced)}`]),
  ])
  return isUnread(address) ? ExitCode.FAILED : ExitCode.DONE
}
