import { COMMAND } from '../command/command.ts'
import type { OpenClient } from './client.ts'
import { partsOf } from './client-views.ts'
import { silentOf } from './store-address.ts'
import { wordOf } from './target.ts'
import { tokenOf, watch } from './watch.ts'

/** Another key on which requests of a client were counted lately, and one policy of it. */
interface OtherKey {
  readonly key: string
  readonly policy: string
  /** Whether a request passes now. If the key names nobody, whether the last one did. */
  readonly allowed: boolean
  readonly reason: string
}

/** The other keys of a client. */
export interface OtherKeys {
  readonly keys: readonly OtherKey[]
  /** How many live processes have not told theirs; undefined if that is not known. */
  readonly silent: number | undefined
}

/** Asks the operator's pages on which other keys requests of a client were counted lately, and the store what they say now. */
export async function otherKeysOf(client: OpenClient): Promise<OtherKeys> {
  // An id with an address is explained as both together and as each alone.
  const [whole = '', ...parts] = partsOf(client.identity).map(part => client.control.keyOf(part))
  // Other clients may have the address.
  const [keys, shown] = [[whole, ...parts.slice(0, 1)], new Set([whole, ...parts])]
  const tokens = keys.map(tokenOf)
  const last = new Map<string, OtherKey & { readonly at: number }>()
  const told = await watch(client, tokens)
  for (const { counted } of told.numbers)
    for (const one of underIn(counted, tokens)) {
      const id = JSON.stringify([one.policy, one.key])
      if (!shown.has(one.key) && (last.get(id)?.at ?? 0) <= one.at) last.set(id, one)
    }
  return {
    keys: await Promise.all([...last.values()].map(one => nowOf(client, one))),
    silent: silentOf(client.address, told.processes),
  }
}

/** The lines about other keys. */
export function linesOf({ keys, silent }: OtherKeys): string[] {
  if (keys.length === 0)
    return [
      "No operator's page knows other keys on which its requests were counted lately.",
      partialInWords(silent),
    ]
  const lines = keys.map(({ key, policy, allowed, reason }) => {
    const verdict = allowed ? 'passes' : `refuses: ${reason}`
    return `Counted lately on ${key} too: ${policy} ${verdict}. See: ${COMMAND} find ${wordOf(key)} --policy …`
  })
  return [...lines, partialInWords(silent)]
}

/** Says why keys may be missing. */
function partialInWords(silent: number | undefined): string {
  const who =
    silent === undefined ? 'some processes' : `${silent} live ${silent === 1 ? 'process' : 'processes'}`
  const untold =
    silent === 0 ? '' : `, and ${who} may have told none, as processes without the operator's page do`
  return `There may be others: the processes look at samples${untold}.`
}

async function nowOf(
  { plans, control: acts }: OpenClient,
  { key, policy, allowed, reason }: OtherKey,
): Promise<OtherKey> {
  const identity = acts.identityOf(key)
  if (identity !== undefined)
    for (const { limiter } of plans) {
      const { policies, control, decision } = await limiter.explain(identity)
      // An operator decides in place of every counter.
      if (control !== undefined && decision !== undefined)
        return { key, policy, allowed: decision.allowed, reason: decision.reason }
      const verdict = policies.find(each => each.policy === policy)?.verdict
      if (verdict !== undefined) return { key, policy, allowed: verdict.allowed, reason: verdict.reason }
    }
  return { key, policy, allowed, reason }
}

function underIn(counted: unknown, tokens: readonly string[]): (OtherKey & { readonly at: number })[] {
  if (!Array.isArray(counted)) return []
  return counted.flatMap(each => {
    const { token, under } = (each ?? {}) as { token?: unknown; under?: unknown }
    return tokens.some(one => one === token) && Array.isArray(under) ? under.filter(isUnder) : []
  })
}

function isUnder(value: unknown): value is OtherKey & { readonly at: number } {
  const { key, policy, allowed, reason, at } = (value ?? {}) as Partial<Record<string, unknown>>
  return (
    typeof key === 'string' &&
    typeof policy === 'string' &&
    typeof allowed === 'boolean' &&
    typeof reason === 'string' &&
    Number.isFinite(at)
  )
}
