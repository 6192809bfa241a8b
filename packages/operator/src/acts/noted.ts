import type { NotedAct } from '@halt/control'

import { why } from './access.ts'
import type { Acting, Done } from './act.ts'

/** Notes an act on counters in the history. It was carried out, so a history that cannot be written does not fail it. */
export async function noted(
  acting: Acting,
  units: number | undefined,
  done: Done,
  policy: string | undefined = acting.call.policy,
): Promise<Done> {
  const { for: duration, until } = acting.options
  const end = acting.call.act === 'pause' ? { for: duration, until } : {}
  try {
    const what = { identity: acting.identity(), policy, units }
    await acting.control.note(acting.call.act as NotedAct, what, { ...why(acting), ...end })
    return done
  } catch {
    return { ...done, says: `${done.says} The history could not be written.` }
  }
}
