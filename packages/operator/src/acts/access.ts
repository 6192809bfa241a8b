import type { ControlEntry } from '@halt/control'

import { type Act, type Acting, type Done, scopeOfEnd, undoOf } from './act.ts'
import { spanOf } from './act-call.ts'

/** The acts that refuse clients, or let them pass. */
export const accessActs: Readonly<Record<'block' | 'unblock' | 'allow' | 'disallow', Act>> = {
  block: {
    says: acting => `${reachOf(acting)} refuses every request of ${acting.who}, ${spanOf(acting.call)}.`,
    async perform(acting) {
      const { control, call, options, who } = acting
      const entry = await control.block(acting.identity(), { ...options, force: call.force })
      return done(`${who} is blocked ${spanOf(call)}.`, entry, acting, 'unblock')
    },
  },
  allow: {
    says: acting =>
      `${reachOf(acting)} lets every request of ${acting.who} pass uncounted, ${spanOf(acting.call)}.`,
    async perform(acting) {
      const { control, call, options, who } = acting
      const entry = await control.allow(acting.identity(), { ...options, force: call.force })
      return done(`${who} passes uncounted ${spanOf(call)}.`, entry, acting, 'disallow')
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
  options: { reason, by, onStoreError, replaces },
}: Acting): Pick<Acting['options'], 'reason' | 'by' | 'onStoreError' | 'replaces'> {
  return { reason, by, onStoreError, replaces }
}

function reachOf({ away }: Acting): string {
  return away === undefined ? 'Every process' : 'This process alone'
}

/** The entry of the target before an act that makes, replaces or ends one. A block and a permission are two. */
function before({ call, entries, target }: Acting): ControlEntry | undefined {
  const kind = call.act === 'block' || call.act === 'unblock' ? 'block' : 'allow'
  return entries.find(entry => entry.kind === kind && entry.target === target)
}

function done(says: string, entry: ControlEntry, acting: Acting, back: 'unblock' | 'disallow'): Done {
  return { says, undo: undoOf(before(acting), entry, acting, back), scope: entry.scope }
}

function ended(found: boolean, says: string, otherwise: string, acting: Acting): Done {
  const entry = before(acting)
  if (!found) return { says: otherwise, undo: undefined }
  const undo = entry && undoOf(entry, undefined, acting, entry.kind)
  return { says, undo, scope: scopeOfEnd(acting.control) }
}
