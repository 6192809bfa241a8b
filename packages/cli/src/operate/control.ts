import { userInfo } from 'node:os'
import { type ActOptions, Control } from '@halt/control'

import { type Call, type Flag, valueOf } from '../command/command.ts'
import { commandError, wholeOf } from '../command/parse.ts'
import { type CliIo, coloursOf } from '../io.ts'
import { isOfCalendar } from '../log/instant.ts'
import { deafInWords, isUnread } from './store-address.ts'
import { limitsFlag, type Opened, storeFlags, withStore } from './store.ts'

/** The options of every command that reads or writes the control document. */
export const controlFlags: Readonly<Record<string, Flag>> = {
  ...storeFlags,
  ...limitsFlag,
  'ipv6-prefix': {
    value: 'bits',
    help: 'The ipv6Prefix of the limiters. Default: that of settings in the limits file, else 56.',
  },
}

/** The options of every act. */
export const actFlags: Readonly<Record<string, Flag>> = {
  for: { value: 'duration', help: 'How long it holds: 90s, 2h, 30d. Default: until somebody takes it back.' },
  until: { value: 'date', help: 'When it ends: 2026-12-01T08:00:00Z, or 2026-12-01 for 00:00 UTC.' },
  ...whoFlags(),
}

/** The options that say who acts, and why. */
export function whoFlags(): Readonly<Record<string, Flag>> {
  return {
    reason: { value: 'text', help: 'Why. It stands in the history.' },
    by: { value: 'name', help: 'Who acts. Default: the user of this machine.' },
  }
}

/** A note of the help of every command with identities. */
export const SECRET_NOTE =
  'If the limiters have a secret, give it as $HALT_SECRET or in settings of the limits file, so that API keys get the same digests.'

/** A store with the control document on it, and the options by which identities become the same counters as in the limiters. */
export interface OpenControl extends Opened {
  readonly control: Control
  /** The same, for limiters and managers; undefined if processes live here and none of them reads it. */
  readonly obeyed: Control | undefined
  readonly identityOptions: { readonly secret?: string; readonly ipv6Prefix?: number }
}

/** Opens the store and the control document, and calls `use`, whose result is the exit code. */
export function withControl(
  call: Call,
  io: CliIo,
  use: (control: Control, opened: OpenControl) => Promise<number>,
): Promise<number> {
  return withStore(call, io, async opened => {
    const identityOptions = identityOptionsOf(call, io, opened)
    const deaf = deafInWords(opened.address)
    if (deaf !== undefined) io.stderr.write(`${coloursOf(io, io.stderr).yellow('Warning:')} ${deaf}\n`)
    const control = new Control({ store: opened.store, warn: () => {}, ...identityOptions })
    try {
      const isIgnored = opened.address.processes !== 0 && isUnread(opened.address)
      const obeyed = isIgnored ? undefined : control
      return await use(control, { ...opened, control, obeyed, identityOptions })
    } finally {
      control.close()
    }
  })
}

/** An option of the command line wins over the limits file. Options of a limiter in the file count as its settings. */
function identityOptionsOf(call: Call, { env }: CliIo, { limits }: Opened): OpenControl['identityOptions'] {
  const own = limits?.plans[0]?.settings
  const ipv6Prefix =
    wholeOf('ipv6-prefix', valueOf(call, 'ipv6-prefix'), 32, 128) ??
    limits?.settings.ipv6Prefix ??
    own?.ipv6Prefix
  const secret = env['HALT_SECRET'] || (limits?.settings.secret ?? own?.secret)
  return { ...(secret ? { secret } : {}), ...(ipv6Prefix === undefined ? {} : { ipv6Prefix }) }
}

/** Reads who acts, why, and until when. @throws HaltError `HALT_E_COMMAND` */
export function actOf(call: Call): ActOptions {
  const [until, length] = [valueOf(call, 'until'), valueOf(call, 'for')]
  if (until !== undefined && length !== undefined)
    throw commandError('--for and --until are both given.', 'Give one of them.')
  const date = until === undefined ? undefined : new Date(until)
  if (date !== undefined && (Number.isNaN(date.getTime()) || !isOfCalendar(until ?? '')))
    throw commandError(
      `--until is ${JSON.stringify(until)}.`,
      'Give a date such as 2026-12-01T08:00:00Z or 2026-12-01, or a length by --for 1d.',
    )
  return {
    for: length as ActOptions['for'],
    until: date,
    reason: valueOf(call, 'reason'),
    by: valueOf(call, 'by') ?? userName(),
  }
}

function userName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    // A container may have a user without a name.
    return undefined
  }
}
