import { isIP } from 'node:net'
import type { Identity } from '@halt/core'

import { type Call, type Flag, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import { printable } from '../io.ts'

/** The options that complete an identity. */
export const targetFlags: Readonly<Record<string, Flag>> = {
  ip: {
    value: 'address',
    help: 'The address of a user or an API key, for counters of both together. find shows each alone, too.',
  },
}

/** A note of the help of every command with a client. */
export const WHOM_NOTE = 'Whom: user:42, ip:203.0.113.7, api-key:…, custom:acme, or an address.'
/** The same for the commands that take a network too. */
export const NETWORK_NOTE: string = WHOM_NOTE.replace(
  'or an address',
  'an address, or a network such as 203.0.113.0/24',
)

/** An identity that says of which kind it is. */
export type Whom = Exclude<Identity, string>

const KINDS = { user: 'user', ip: 'ip', 'api-key': 'apiKey', custom: 'custom' } as const

/**
 * Reads whom a command is about: `user:42`, `ip:203.0.113.7`, `api-key:…`, `custom:acme`, or an address or a network alone. The text
 * behind the first colon is taken as it is.
 *
 * @throws HaltError `HALT_E_COMMAND`
 */
export function targetOf(text: string, call: Call): Whom {
  const ip = valueOf(call, 'ip')
  const target = isAddress(text) ? { ip: text } : kindIn(text)
  if (target === undefined)
    throw commandError(
      `${JSON.stringify(text)} names nobody.`,
      'Write user:42, ip:203.0.113.7, api-key:…, custom:acme, an address, or a network such as 203.0.113.0/24.',
    )
  if (ip === undefined) return target as Whom
  if ('user' in target || 'apiKey' in target) return { ...target, ip } as Whom
  throw commandError('--ip is given with neither a user nor an API key.', 'Write user:42 --ip 203.0.113.7.')
}

/** Whom a command is about, in the words of its caller, with the address that completes it: `user:42+ip:203.0.113.7`. */
export function nameOf(whom: string, call: Call): string {
  const ip = valueOf(call, 'ip')
  // It may be copied from a log, into which its client wrote it.
  return printable(ip === undefined ? whom : `${whom}+ip:${ip}`)
}

/** The words of a command that name an identity, as a shell takes them: `user:42 --ip 203.0.113.7`. */
export function wordsOf(identity: Whom): string {
  const { ip, ...id } = identity as { readonly ip?: string }
  const [kind, value = ip] = Object.entries<string | undefined>(id)[0] ?? ['ip']
  const name = Object.entries(KINDS).find(([, field]) => field === kind)?.[0]
  const word = shellWord(`${name}:${value}`)
  return ip === undefined || kind === 'ip' ? word : `${word} --ip ${shellWord(ip)}`
}

function shellWord(text: string): string {
  return /^[\w:.@/%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

function kindIn(text: string): Readonly<Record<string, string>> | undefined {
  const colon = text.indexOf(':')
  const kind = text.slice(0, Math.max(0, colon))
  const id = text.slice(colon + 1)
  return Object.hasOwn(KINDS, kind) && id !== '' ? { [KINDS[kind as keyof typeof KINDS]]: id } : undefined
}

function isAddress(text: string): boolean {
  return isIP(text.replace(/\/\d+$/, '')) !== 0
}
