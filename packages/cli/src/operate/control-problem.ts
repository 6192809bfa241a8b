import type { Control, ControlEntry } from '@halt/control'
import { HaltError } from '@halt/core'

const FIX =
  'Use the version of Halt that the processes use, or empty the document "control" of the store and act again.'

/** Why nobody knows from here what operators have set; undefined if the document was read. */
export function controlProblem({ problem }: Control): HaltError | undefined {
  if (problem === undefined) return undefined
  const why = problem.replace(/\.$/, '')
  return new HaltError('HALT_E_CONTROL', `The control document cannot be read: ${why}.`, FIX)
}

/** The entries that hold. @throws HaltError `HALT_E_CONTROL` if they cannot be read, because "none" would be a mistake */
export async function entriesIn(control: Control): Promise<readonly ControlEntry[]> {
  const entries = await control.entries()
  const problem = controlProblem(control)
  if (problem !== undefined) throw problem
  return entries
}
