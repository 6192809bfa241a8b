import { type Control, type Explanation, HaltError, type Identity, RateLimiter } from '@halt/core'

import { type Call, type Flag, valueOf } from '../command/command.ts'
import { commandError } from '../command/parse.ts'
import { withValues } from '../command/usage.ts'
import { type CliIo, print, printable } from '../io.ts'
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
        `Write: halt ${name} user:42 --policy limits.mjs --redis redis://localhost:6379`,
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

/** Explains a client, and prints the explanation behind `lines`, or all of it as JSON with `facts`. */
export async function printClient(
  { identity, limiter, control }: OpenClient,
  call: Call,
  io: CliIo,
  lines: readonly string[] = [],
  facts: object = {},
): Promise<Explanation> {
  const explanation = await limiter.explain(identity)
  const counters = explanation.decision === undefined ? [] : await limiter.inspect(identity)
  const keys = new Set([explanation.decision?.key, ...explanation.policies.map(({ key }) => key)])
  const entries = (await control.entries()).filter(({ target }) => target !== undefined && keys.has(target))
  const text = [
    ...[...lines, ...String(explanation).split('\n')].map(printable),
    ...entries.map(({ kind, ...entry }) => `set by an operator: ${lineOf(kind, entry)}`),
  ]
  const isJson = call.flags['json'] === true
  await print(io, isJson ? [JSON.stringify({ ...facts, ...explanation, counters, entries })] : text)
  return explanation
}
