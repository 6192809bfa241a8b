import type { Control } from '@halt/control'
import type { Identity } from '@halt/core'

import { type Call, COMMAND, type Flag, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import { printable } from '../io.ts'

/** The options that complete an identity. */
export const targetFlags: Readonly<Record<string, Flag>> = {
  ip: {
    value: 'address',
    help: 'The address of a user or an API key, for counters of both together. find shows each alone, too.',
  },
}

/** A note of the help of every command with a client. */
export const WHOM_NOTE =
  'Whom: user:42, ip:203.0.113.7, api-key:…, custom:acme, a key as a decision or a log shows it, or an address.'
/** The same for the commands that take a network too. */
export const NETWORK_NOTE: string = WHOM_NOTE.replace(
  'or an address',
  'an address, or a network such as 203.0.113.0/24',
)

/** An identity that says of which kind it is. */
export type Whom = Exclude<Identity, string>

/**
 * Reads whom a command is about: a key as any tool prints it, with `--ip` for a user or an API key.
 *
 * @throws HaltError `HALT_E_COMMAND`
 */
export async function targetOf(text: string, call: Call, control: Control): Promise<Whom> {
  const ip = valueOf(call, 'ip')
  const target = await withValues(() => control.identityOf(text))
  if (target === undefined)
    throw commandError(
      `${JSON.stringify(printable(text))} names nobody.`,
      PAGE_DIGEST.test(text) ? PAGE_DIGEST_FIX : FORMS,
    )
  if (ip === undefined) return target
  if (!('ip' in target) && !('custom' in target)) return { ...target, ip } as Whom
  if ('user' in target || 'apiKey' in target)
    throw commandError(`${JSON.stringify(printable(text))} has an address already.`, 'Leave --ip out.')
  throw commandError('--ip is given with neither a user nor an API key.', 'Write user:42 --ip 203.0.113.7.')
}

const FORMS =
  'Write user:42, ip:203.0.113.7, api-key:…, custom:acme, an address, a network such as 203.0.113.0/24, or a key as a decision or a tool shows it.'
/** A key as the operator's page shows it to people who may not see it in clear. */
const PAGE_DIGEST = /^(?:user|ip|api-key|custom|key)(?:\+ip)? #[\w-]+$/
const PAGE_DIGEST_FIX =
  "The operator's page shows keys so without reveal, and it alone finds them: paste it there, or ask for the id."

/** Whom a command is about, in the words of its caller, with the address that completes it: `user:42+ip:203.0.113.7`. */
export function nameOf(whom: string, call: Call): string {
  const ip = valueOf(call, 'ip')
  // It may be copied from a log, into which its client wrote it.
  return printable(ip === undefined ? whom : `${whom}+ip:${ip}`)
}

/** A key as a shell takes it: `user:42`, `'user:a b'`. */
export function wordOf(key: string): string {
  return shellWord(printable(key))
}

function shellWord(text: string): string {
  return /^[\w:.@/%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** The options that say where a command looks. */
const WHERE = ['policy', 'redis', 'postgres', 'mysql', 'sqlite', 'schema', 'table', 'prefix']

/**
 * A whole call that follows another one, to be pasted. It has the options of that one that say where. An address with a password is left
 * out, because hints end up in tickets.
 */
export function toPaste(what: string, call: Call): string {
  const where = WHERE.flatMap(name => {
    const value = valueOf(call, name)
    return value === undefined || /:\/\/[^/]*@/.test(value) ? [] : [`--${name} ${wordOf(value)}`]
  })
  return [COMMAND, what, ...where].join(' ')
}
