import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Address } from '../request/address.ts'
import { type Networks, parseNetworks } from '../request/networks.ts'
import type { Subject } from '../request/subject.ts'
import { type ControlEntry, holds, isNetwork, type PolicyNumbers } from './entries.ts'

/** The ids of a client that an entry may name. Each is found only if some entry names one of its kind. */
export interface ClientIds {
  readonly address: Address | undefined
  /** The subject of the address. */
  ip(): Subject
  user(): Subject | undefined
  apiKey(): Subject | undefined
}

/** The entries of a control document, ready to be looked up. It is made once a version. */
export class ControlState {
  readonly #access = new Map<string, ControlEntry>()
  readonly #networks: {
    readonly entry: ControlEntry
    readonly networks: Networks
    readonly prefix: number
  }[] = []
  readonly #anyNetwork: Networks
  // Whether some network holds every address of its version.
  #holdsAll = false
  readonly #overrides = new Map<string, Map<Subject, ControlEntry>>()
  readonly #changes = new Map<string, ControlEntry>()
  readonly #kinds = new Set<string>()
  readonly #variants = new WeakMap<CompiledPolicy, Map<ControlEntry, CompiledPolicy>>()
  readonly #lists = new WeakMap<
    readonly CompiledPolicy[],
    { readonly until: number; readonly list: readonly CompiledPolicy[] }
  >()

  /** @throws HaltError if an entry names a network that is none */
  constructor(entries: readonly ControlEntry[]) {
    const texts: string[] = []
    for (const entry of entries) {
      const { kind, target = '', policy = '' } = entry
      if (kind === 'change') this.#changes.set(policy, entry)
      else if (kind === 'override') {
        const own = this.#overrides.get(policy) ?? new Map<Subject, ControlEntry>()
        this.#overrides.set(policy, own.set(target, entry))
      } else if (isNetwork(target)) {
        const prefix = Number(target.slice(target.indexOf('/') + 1))
        if (prefix > 0) texts.push(target)
        else this.#holdsAll = true
        this.#networks.push({
          entry,
          prefix,
          networks: prefix > 0 ? parseNetworks([target], 'HALT_E_CONTROL', 'the entry') : all(target),
        })
      } else {
        this.#access.set(target, entry)
        this.#kinds.add(target.slice(0, target.indexOf(':')) + (target.includes('+ip:') ? '+ip' : ''))
      }
    }
    // The most special network first.
    this.#networks.sort((a, b) => b.prefix - a.prefix)
    this.#anyNetwork = parseNetworks(texts, 'HALT_E_CONTROL', 'the entries')
  }

  /** Whether an entry may concern clients, whatever their policies. */
  get hasAccess(): boolean {
    return this.#access.size + this.#networks.length > 0
  }

  /** Whether some client has numbers of its own. */
  get hasOverrides(): boolean {
    return this.#overrides.size > 0
  }

  /**
   * The entry that blocks a client or lets it pass. A block of any of its ids comes before a permission. Of the entries about its
   * address, the most special one counts.
   *
   * @param now Unix milliseconds
   */
  accessOf(client: ClientIds, now: number): ControlEntry | undefined {
    const found: (ControlEntry | undefined)[] = [this.#ofAddress(client, now)]
    const kinds = this.#kinds
    const isByUser = kinds.has('user') || kinds.has('user+ip')
    const isByKey = kinds.has('api-key') || kinds.has('api-key+ip')
    for (const subject of [isByUser ? client.user() : undefined, isByKey ? client.apiKey() : undefined]) {
      if (subject === undefined) continue
      found.push(this.#named(subject, now))
      if (kinds.has('user+ip') || kinds.has('api-key+ip'))
        found.push(this.#named(`${subject}+${client.ip()}`, now))
    }
    return found.find(entry => entry?.kind === 'block') ?? found.find(entry => entry !== undefined)
  }

  /** The entry that blocks a subject or lets it pass. */
  accessOfSubject(subject: Subject, now: number): ControlEntry | undefined {
    return this.#named(subject, now)
  }

  /** The policies with the numbers that hold for everybody now. The same list gives the same list. */
  changed(policies: readonly CompiledPolicy[], now: number): readonly CompiledPolicy[] {
    if (this.#changes.size === 0) return policies
    const known = this.#lists.get(policies)
    if (known !== undefined && now < known.until) return known.list
    let until = Number.POSITIVE_INFINITY
    const list = policies.map(policy => {
      const entry = this.#changes.get(policy.name)
      if (entry === undefined || !holds(entry, now)) return policy
      until = Math.min(until, entry.until ?? until)
      return this.#variant(policy, entry)
    })
    const result = list.every((policy, i) => policy === policies[i]) ? policies : list
    this.#lists.set(policies, { until, list: result })
    return result
  }

  /** The policies with the numbers of the clients that they count. The same list if no client has any. */
  overridden(
    policies: readonly CompiledPolicy[],
    subjects: readonly Subject[],
    now: number,
  ): readonly CompiledPolicy[] {
    const list = policies.map((policy, i) => {
      const entry = this.overrideOf(policy.name, subjects[i] as Subject, now)
      return entry === undefined ? policy : this.#variant(policy, entry)
    })
    return list.every((policy, i) => policy === policies[i]) ? policies : list
  }

  /** The entry with a client's numbers for a policy. */
  overrideOf(policy: string, subject: Subject, now: number): ControlEntry | undefined {
    const entry = this.#overrides.get(policy)?.get(subject)
    return entry !== undefined && holds(entry, now) ? entry : undefined
  }

  /** The entry with everybody's numbers for a policy. */
  changeOf(policy: string, now: number): ControlEntry | undefined {
    const entry = this.#changes.get(policy)
    return entry !== undefined && holds(entry, now) ? entry : undefined
  }

  /** Whether a client has numbers of its own for some of the policies. */
  isOverridden(policies: readonly CompiledPolicy[], subject: Subject): boolean {
    return policies.some(({ name }) => this.#overrides.get(name)?.has(subject) === true)
  }

  #ofAddress(client: ClientIds, now: number): ControlEntry | undefined {
    const { address } = client
    if (this.#kinds.has('ip')) {
      const own = this.#named(client.ip(), now)
      if (own !== undefined) return own
    }
    if (address === undefined || !(this.#holdsAll || this.#anyNetwork.contains(address))) return undefined
    return this.#networks.find(({ entry, networks }) => holds(entry, now) && networks.contains(address))
      ?.entry
  }

  #named(subject: Subject, now: number): ControlEntry | undefined {
    const entry = this.#access.get(subject)
    return entry !== undefined && holds(entry, now) ? entry : undefined
  }

  #variant(policy: CompiledPolicy, entry: ControlEntry): CompiledPolicy {
    const variants = this.#variants.get(policy) ?? new Map<ControlEntry, CompiledPolicy>()
    this.#variants.set(policy, variants)
    let variant = variants.get(entry)
    if (variant === undefined)
      variants.set(entry, (variant = withNumbers(policy, entry.numbers as PolicyNumbers)))
    return variant
  }
}

// Numbers that do not fit this policy change nothing: a broken entry must never refuse anybody.
function withNumbers(policy: CompiledPolicy, numbers: PolicyNumbers): CompiledPolicy {
  try {
    return policy.with(numbers)
  } catch {
    return policy
  }
}

/** The network of all addresses of a version. */
function all(target: string): Networks {
  const version = target.includes(':') ? 6 : 4
  return { size: 1, contains: address => address.version === version }
}
