import type { Control, NetworkSize } from '@halt/control'
import { mayShareData } from '@halt/core/store'

import type { Acting } from './act.ts'
import { OF_COUNTERS } from './away.ts'
import { contains } from '../desk/identities.ts'
import { policyWarnings } from './policy-warnings.ts'
import { leftByReset } from './reset.ts'

/** From how many clients on a network is called large. */
const MANY = 65_536n

/** Sentences that warn the operator before an act. @param own the operator's own address, if it is known */
export async function warningsOf(acting: Acting, own: string | undefined): Promise<string[]> {
  const { call, target, entries, catalogue } = acting
  const warnings: string[] = []
  const address = target.replace(/^ip:/, '')
  if (call.act === 'block' && own !== undefined && contains(address, own))
    warnings.push(`Your own address ${own} is among them. The limiters would refuse your requests as well.`)
  const size = sizeOf(acting)
  if (size !== undefined && size.clients >= MANY) {
    const more = target.endsWith('/0')
      ? ', all that there are'
      : size.needsForce
        ? ', more than the network of one owner'
        : ''
    warnings.push(`The network has ${size.says}${more}.`)
  }
  if (call.policy !== undefined && catalogue.find(call.policy) === undefined)
    warnings.push(`No limiter of this process has a policy "${call.policy}". It has no effect here.`)
  const replaced = entries.find(
    entry =>
      (entry.target ?? '') === target &&
      entry.kind === call.act &&
      (call.act === 'block' || call.act === 'allow' || entry.policy === call.policy),
  )
  if (replaced !== undefined)
    warnings.push(
      `It replaces an entry (${replaced.kind}) of ${replaced.by ?? 'somebody'}${replaced.reason === undefined ? '' : `: ${replaced.reason}`}.`,
    )
  warnings.push(...deafWarnings(acting), ...(await policyWarnings(acting)))
  const left = call.act === 'reset' ? await leftByReset(acting) : undefined
  if (left !== undefined) warnings.push(left)
  return warnings
}

/** Names the limiters that do not read what an act sets: they have no Control, or one on another store or prefix. */
function deafWarnings({ call, control, limiters }: Acting): string[] {
  if (OF_COUNTERS.has(call.act)) return []
  return limiters.flatMap(({ limiter, policies }) => {
    const own = limiter.options.control as Control | undefined
    if (own !== undefined && (own === control || mayShareData(own.store, control.store))) return []
    const names = policies.map(({ name }) => name).join(', ') || 'a policy function'
    return `The limiter of ${names} does not read this: it has ${own === undefined ? 'no Control' : 'a Control on another store or prefix'}.`
  })
}

/** Whether an act needs `force`. */
export function needsForce(acting: Acting): boolean {
  return sizeOf(acting)?.needsForce === true
}

/** The size of the network that an act is about; undefined for any other act. */
function sizeOf({ call, control, identity }: Acting): NetworkSize | undefined {
  return call.act === 'block' || call.act === 'allow' ? control.sizeOf(identity()) : undefined
}
