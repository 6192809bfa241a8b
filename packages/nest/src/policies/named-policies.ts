import { type Policy, HaltError } from '@halt/core'

/** Policies that decorators can name: the module's `policies` by their keys, and every policy by its own name. */
export class NamedPolicies {
  readonly #global: readonly Policy[] | undefined
  readonly #named = new Map<string, readonly Policy[]>()

  /** @param globalPolicies undefined if a resolver gives them */
  constructor(globalPolicies: readonly Policy[] | undefined) {
    this.#global = globalPolicies
  }

  /** Every policy, once. */
  get all(): readonly Policy[] {
    return [...new Set([...this.#named.values()].flat())]
  }

  /** @throws HaltError when another policy has the name */
  add(name: string, policies: Policy | readonly Policy[]): void {
    const known = this.#named.get(name)
    const list = listOf(policies)
    if (
      known !== undefined &&
      !(known.length === list.length && known.every((policy, i) => policy === list[i]))
    ) {
      throw new HaltError(
        'HALT_E_DUPLICATE_POLICY',
        `Two of the policies are named "${name}".`,
        'Give each its own name.',
      )
    }
    this.#named.set(name, list)
  }

  has(name: string): boolean {
    return this.#named.has(name) || this.#byOwnName(name) !== undefined
  }

  /** The policies of a name. @throws HaltError `HALT_E_UNKNOWN_POLICY`, which lists the known names */
  find(name: string): readonly Policy[] {
    const found = this.#named.get(name) ?? this.#byOwnName(name)
    if (found !== undefined) return found
    const known = [...new Set([...this.#named.keys(), ...(this.#global ?? []).map(policy => policy.name)])]
    const list = known.length === 0 ? 'There are none' : `Known: ${known.join(', ')}`
    throw new HaltError(
      'HALT_E_UNKNOWN_POLICY',
      `No policy is named "${name}".`,
      `${list}. Add it to the policies of HaltModule.`,
    )
  }

  /** The names of the policies that `@SkipRateLimit(name)` skips. */
  namesOf(name: string): readonly string[] {
    // The policies of a resolver are not known here, so take the name itself.
    if (this.#global === undefined && !this.#named.has(name)) return [name]
    return this.find(name).map(policy => policy.name)
  }

  #byOwnName(name: string): readonly Policy[] | undefined {
    const found = [...(this.#global ?? []), ...this.all].find(policy => policy.name === name)
    return found && [found]
  }
}

/** One or several policies as a list. */
export function listOf<T extends Policy>(policies: T | readonly T[]): readonly T[] {
  return Array.isArray(policies) ? (policies as readonly T[]) : [policies as T]
}
