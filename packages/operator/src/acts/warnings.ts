import type { Acting } from './act.ts'
import { contains, isNetwork } from '../desk/identities.ts'
import { leftByReset } from './reset.ts'

/** From how many addresses (of IPv4) or subscribers (of IPv6, each a /56) on a network is called large. */
const MANY = 65_536n

/** Sentences that warn the operator before an act. @param own the operator's own address, if it is known */
export async function warningsOf(acting: Acting, own: string | undefined): Promise<string[]> {
  const { call, target, entries, catalogue } = acting
  const warnings: string[] = []
  const address = target.replace(/^ip:/, '')
  if (call.act === 'block' && own !== undefined && contains(address, own))
    warnings.push(`Your own address ${own} is among them. The limiters would refuse your requests as well.`)
  const size = isNetwork(target) && ['block', 'allow'].includes(call.act) ? sizeOf(target) : 0n
  if (size >= MANY) {
    const what = target.includes(':') ? 'subscribers of IPv6, each with a /56' : 'addresses'
    const all = target.endsWith('/0') ? ', all that there are' : ''
    warnings.push(`The network has ${size.toLocaleString('en')} ${what}${all}.`)
  }
  if (call.policy !== undefined && catalogue.find(call.policy) === undefined)
    warnings.push(`No limiter of this process has a policy "${call.policy}". It has no effect here.`)
  const replaced = entries.find(
    entry =>
      entry.target === target &&
      entry.kind === call.act &&
      (call.act === 'block' ||
        call.act === 'allow' ||
        (call.act === 'override' && entry.policy === call.policy)),
  )
  if (replaced !== undefined)
    warnings.push(
      `It replaces an entry (${replaced.kind}) of ${replaced.by ?? 'somebody'}${replaced.reason === undefined ? '' : `: ${replaced.reason}`}.`,
    )
  const left = call.act === 'reset' ? await leftByReset(acting) : undefined
  if (left !== undefined) warnings.push(left)
  return warnings
}

function sizeOf(network: string): bigint {
  const bits = Number(network.slice(network.indexOf('/') + 1))
  return 2n ** BigInt(Math.max(0, (network.includes(':') ? 56 : 32) - bits))
}
