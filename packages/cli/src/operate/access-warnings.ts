import { BlockList, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { NetworkSize } from '@halt/control'

import type { Call } from '../command/command.ts'
import { type CliIo, coloursOf } from '../io.ts'
import { toPaste } from './target.ts'

/** From how many clients on a network is called large. */
const MANY = 65_536n

/** Tells how many clients a large network has, and how to take the act back. */
export function warnOfSize(
  whom: string,
  size: NetworkSize | undefined,
  act: 'block' | 'allow',
  call: Call,
  io: CliIo,
): void {
  if (size === undefined || size.clients < MANY) return
  const back = act === 'block' ? 'unblock' : 'disallow'
  const warning = coloursOf(io, io.stderr).yellow('Warning:')
  io.stderr.write(`${warning} ${whom} has ${size.says}. ${toPaste(`${back} ${whom}`, call)} takes it back.\n`)
}

/** Warns if a block contains an address of this machine, or the one from which its user is signed in. */
export function warnOfOwnAddress(whom: string, call: Call, io: CliIo): void {
  const own = [
    ...Object.values(networkInterfaces())
      .flatMap(list => list ?? [])
      .map(({ address }) => address),
    ...(io.env['SSH_CONNECTION'] ?? '').split(' ').slice(0, 1),
  ]
  const hit = own.find(address => address !== '' && contains(whom.replace(/^ip:/, ''), address))
  if (hit === undefined) return
  const isOwn = whom.replace(/^ip:/, '') === hit ? `${whom} is` : `${whom} contains ${hit},`
  io.stderr.write(
    `${coloursOf(io, io.stderr).yellow('Warning:')} ${isOwn} an address of yours. ${localhostNote(hit)}${toPaste(`unblock ${whom}`, call)} takes it back.\n`,
  )
}

/** `localhost` has two addresses, so a block of one of them often does not reach the operator who then tries it from the same machine. */
function localhostNote(hit: string): string {
  if (!hit.startsWith('127.')) return ''
  return 'A request to localhost may come from ::1, which it does not contain. '
}

function contains(network: string, address: string): boolean {
  const [base = '', bits] = network.split('/')
  const list = new BlockList()
  try {
    const family = isIPv6(base) ? 'ipv6' : 'ipv4'
    list.addSubnet(base, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
    return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  } catch {
    // Not an address. Control refuses it, or it is a user.
    return false
  }
}
