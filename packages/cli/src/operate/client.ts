import {
  type Control,
  type CounterReading,
  type Explanation,
  HaltError,
  type Identity,
  RateLimiter,
} from '@halt/core'

import { type Call, COMMAND, type Flag, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import { type CliIo, jsonLine, print, printable } from '../io.ts'
import { loadPolicyModule } from '../policy-module.ts'
import { identityOptions, withControl } from './control.ts'
import { lineOf } from './list-commands.ts'
import { targetOf } from './target.ts'

/** The option of every command that reads the counters of a client. */
export const limitsFlag: Readonly<Record<string, Flag>> = {
  policy: {
    value: 'module',
    help: 'The limits: a module that exports a policy, several, or options of a RateLimiter.',
  },
}

/** A client, and a limiter that names the counters of the application. */
interface OpenClient {
  readonly identity: Identity
  readonly limiter: RateLimiter
  readonly control: Control
}

/**
 * Loads the limits, opens a limiter on the Redis of the application, and calls `use`.
 *
 * @throws HaltError `HALT_E_COMMAND` without `--policy`, and the codes of {@link withControl} and {@link loadPolicyModule}
 */
export function withClient<T>(
  name: string,
  call: Call,
  io: CliIo,
  use: (client: OpenClient) => Promise<T>,
): Promise<T> {
  return withControl(call, io, async (control, { store }) => {
    const module = valueOf(call, 'policy')
    if (module === undefined)
      throw commandError(
        `halt ${name} got no --policy.`,
        `Write: ${COMMAND} ${name} user:42 --policy limits.mjs --redis redis://localhost:6379`,
      )
    const settings = await loadPolicyModule(module, io.cwd)
    if (typeof settings.policy === 'function')
      throw new HaltError(
        'HALT_E_POLICY_MODULE',
        `${module} chooses its policies by a function, which needs a request.`,
        'Give a module that exports those that it may choose: export const policies = [PRO, FREE].',
      )
    const identity = targetOf(call.positionals[0] as string, call)
    await control.refresh()
    const limiter = new RateLimiter({
      ...settings,
      ...identityOptions(call, io),
      store,
      control,
      // A person waits for the answer, and a decision without Redis would mislead.
      storeTimeout: '5s',
      onStoreError: 'closed',
      instances: 1,
      warn: () => {},
    })
    await withValues(() => limiter.keyOf(identity))
    return use({ identity, limiter, control })
  })
}

/**
 * Explains a client, and prints the explanation behind `lines`, or all of it as JSON with `facts`. An id with an address is explained
 * as both together, and as each alone, because policies and entries of operators may count either. Returns whether one is refused.
 */
export async function printClient(
  client: OpenClient,
  call: Call,
  io: CliIo,
  lines: readonly string[] = [],
  facts: object = {},
): Promise<boolean> {
  const views = await Promise.all(partsOf(client.identity).map(identity => viewOf(client, identity)))
  const keys = new Set(views.flatMap(({ keys: own }) => own))
  const all = await client.control.entries()
  const entries = all.filter(({ target }) => target !== undefined && keys.has(target))
  const [whole, ...parts] = views.map(({ identity, explanation, counters }) => ({
    identity,
    ...explanation,
    counters,
  }))
  const text = [
    ...[...lines, ...explained(views)].map(printable),
    ...entries.map(({ kind, ...entry }) => `set by an operator: ${lineOf(kind, entry)}`),
    ...(isWithoutAddress(client.identity) ? [ADDRESS_NOTE] : []),
  ]
  const isJson = call.flags['json'] === true
  const more = parts.length === 0 ? {} : { parts }
  await print(io, isJson ? [jsonLine({ ...facts, ...whole, entries, ...more })] : text)
  return views.some(({ explanation }) => explanation.decision?.allowed === false)
}

const ADDRESS_NOTE = 'The address is not known, so blocks of addresses are not shown. Give --ip.'

/** An identity with its explanation and its counters. */
interface ClientView {
  readonly identity: Identity
  readonly explanation: Explanation
  readonly counters: readonly CounterReading[]
  /** The keys under which entries of operators may stand. */
  readonly keys: readonly (string | undefined)[]
}

async function viewOf({ limiter }: OpenClient, identity: Identity): Promise<ClientView> {
  const explanation = await limiter.explain(identity)
  const { decision, policies } = explanation
  const keys = [decision?.key, ...policies.map(({ key }) => key)]
  return { identity, explanation, counters: await countersOf(limiter, identity), keys }
}

async function countersOf(limiter: RateLimiter, identity: Identity): Promise<readonly CounterReading[]> {
  try {
    return await limiter.inspect(identity)
  } catch (error) {
    // The explanation names the identities that reach the counters.
    if ((error as HaltError).code === 'HALT_E_IDENTITY_KIND') return []
    throw error
  }
}

/** The lines of several explanations. A policy that one of them shows is not called out of reach by the others. */
function explained(views: readonly ClientView[]): string[] {
  const known = views.filter(({ explanation }) => explanation.decision !== undefined)
  const shown = known.flatMap(({ explanation }) => explanation.policies.map(({ policy }) => policy))
  const isShown = (line: string): boolean =>
    views.length > 1 && shown.some(policy => line.startsWith(`  ${policy}: not reachable by `))
  return (known.length === 0 ? views.slice(0, 1) : known)
    .flatMap(({ explanation }) => String(explanation).split('\n'))
    .filter(line => !isShown(line))
}

/** An identity and, if it is an id with an address, each of the two alone. */
export function partsOf(identity: Identity): readonly Identity[] {
  if (typeof identity === 'string' || !('ip' in identity)) return [identity]
  const { ip, ...id } = identity
  return Object.keys(id).length === 0 ? [identity] : [identity, id as Identity, { ip }]
}

function isWithoutAddress(identity: Identity): boolean {
  return typeof identity !== 'string' && !('ip' in identity) && !('custom' in identity)
}
