import type { ControlEntry } from '@halt/core'

import { type Act, type Acting, type Done, putBack, scopeOfEnd } from './act.ts'
import { spanOf } from './act-call.ts'

/** The acts that refuse clients, or let them pass. */
export const accessActs: Readonly<Record<'block' | 'unblock' | 'allow' | 'disallow', Act>> = {
  block: {
    says: acting => `${reachOf(acting)} refuses every request of ${acting.who}, ${spanOf(acting.call)}.`,
    async perform(acting) {
      const { control, call, options, who } = acting
      const { scope } = await control.block(acting.identity(), { ...options, force: call.force })
      return { ...done(`${who} is blocked ${spanOf(call)}.`, acting, 'unblock'), scope }
    },
  },
  allow: {
    says: acting =>
      `${reachOf(acting)} lets every request of ${acting.who} pass uncounted, ${spanOf(acting.call)}.`,
    async perform(acting) {
      const { control, call, options, who } = acting
      const { scope } = await control.allow(acting.identity(), { ...options, force: call.force })
      return { ...done(`${who} passes uncounted ${spanOf(call)}.`, acting, 'disallow'), scope }
    },
  },
  unblock: {
    says: ({ who }) => `${who} is not blocked any more. Its limits count again.`,
    async perform(acting) {
      const wasBlocked = await acting.control.unblock(acting.identity(), why(acting))
      return ended(
        wasBlocked,
        `${acting.who} is not blocked any more.`,
        `${acting.who} was not blocked.`,
        acting,
      )
    },
  },
  disallow: {
    says: ({ who }) => `${who} is counted again.`,
    async perform(acting) {
      const wasAllowed = await acting.control.disallow(acting.identity(), why(acting))
      return ended(wasAllowed, `${acting.who} is counted again.`, `${acting.who} was counted.`, acting)
    },
  },
}

/** Everything but the end, because an entry that is taken back has none. */
export function why({
  options: { reason, by, onStoreError },
}: Acting): Pick<Acting['options'], 'reason' | 'by' | 'onStoreError'> {
  return { reason, by, onStoreError }
}

function reachOf({ away }: Acting): string {
  return away === undefined ? 'Every process' : 'This process alone'
}

/** The entry of the target before an act that makes, replaces or ends one. A block and a permission are two. */
function before({ call, entries, target }: Acting): ControlEntry | undefined {
  const kind = call.act === 'block' || call.act === 'unblock' ? 'block' : 'allow'
  return entries.find(entry => entry.kind === kind && entry.target === target)
}

function done(says: string, acting: Acting, back: 'unblock' | 'disallow'): Done {
  return { says, undo: putBack(before(acting), acting) ?? { act: back, whom: acting.call.whom } }
}

function ended(found: boolean, says: string, otherwise: string, acting: Acting): Done {
  if (!found) return { says: otherwise, undo: undefined }
  return { says, undo: putBack(before(acting), acting), scope: scopeOfEnd(acting.control) }
}
