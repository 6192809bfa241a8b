import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Subject } from '../request/subject.ts'
import { type ClientIds, idsOfSubject } from './client-ids.ts'
import { type ControlEntry, holds, isNetwork, type PolicyNumbers } from './entries.ts'
import { NetworkEntries } from './network-entries.ts'

/** Hears of a policy that cannot have the numbers of an entry. */
type Misfit = (policy: string, error: unknown) => void

/** The entries of a control document, ready to be looked up. It is made once a version. */
export class ControlState {
  readonly #entries: readonly ControlEntry[]
  readonly #misfit: Misfit
  readonly #access = new Map<string, ControlEntry>()
  readonly #networks: NetworkEntries
  readonly #overrides = new Map<string, Map<Subject, ControlEntry>>()
  readonly #changes = new Map<string, ControlEntry>()
  readonly #kinds = new Set<string>()
  #withoutAccess: ControlState | undefined
  readonly #variants = new WeakMap<CompiledPolicy, Map<ControlEntry, CompiledPolicy>>()
  readonly #lists = new WeakMap<
    readonly CompiledPolicy[],
    { readonly until: number; readonly list: readonly CompiledPolicy[] }
  >()

  /**
   * @param misfit called for each policy that cannot have the numbers of an entry
   * @throws HaltError if an entry names a network that is none
   */
  constructor(entries: readonly ControlEntry[], misfit: Misfit = () => {}) {
    this.#entries = entries
    this.#misfit = misfit
    const networks: ControlEntry[] = []
    for (const entry of entries) {
      const { kind, target = '', policy = '' } = entry
      if (kind === 'change') this.#changes.set(policy, entry)
      else if (kind === 'override') {
        const own = this.#overrides.get(policy) ?? new Map<Subject, ControlEntry>()
        this.#overrides.set(policy, own.set(target, entry))
      } else if (isNetwork(target)) networks.push(entry)
      else {
        this.#access.set(target, entry)
        this.#kinds.add(target.slice(0, target.indexOf(':')) + (target.includes('+ip:') ? '+ip' : ''))
      }
    }
    this.#networks = new NetworkEntries(networks)
  }

  /** Whether an entry may concern clients, whatever their policies. */
  get hasAccess(): boolean {
    return this.#access.size + this.#networks.size > 0
  }

  /** The same numbers, with nobody blocked or let pass: for a look at the counters of a client that is. */
  get withoutAccess(): ControlState {
    return (this.#withoutAccess ??= new ControlState(
      this.#entries.filter(({ kind }) => kind === 'override' || kind === 'change'),
    ))
  }

  /** The policies whose numbers some entry sets. */
  get policies(): readonly string[] {
    return [...new Set([...this.#changes.keys(), ...this.#overrides.keys()])]
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

  /** The entry that blocks a subject or lets it pass: an entry of its own, or of a part of it, as for a client. */
  accessOfSubject(subject: Subject, now: number): ControlEntry | undefined {
    const own = this.#named(subject, now)
    if (own?.kind === 'block') return own
    const ids = idsOfSubject(subject)
    const other = ids === undefined ? undefined : this.accessOf(ids, now)
    return other?.kind === 'block' ? other : (own ?? other)
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
      const entry = this.#overrideOf(policy.name, subjects[i] as Subject, now)
      return entry === undefined ? policy : this.#variant(policy, entry)
    })
    return list.every((policy, i) => policy === policies[i]) ? policies : list
  }

  /** The entries whose numbers a policy has for a client now: everybody's, then the client's own. */
  numbersOf(policy: CompiledPolicy, subject: Subject, now: number): readonly ControlEntry[] {
    return [this.#changeOf(policy.name, now), this.#overrideOf(policy.name, subject, now)].filter(
      entry => entry !== undefined && this.#variant(policy, entry) !== policy,
    ) as ControlEntry[]
  }

  /** Whether a client has numbers of its own for some of the policies. */
  isOverridden(policies: readonly CompiledPolicy[], subject: Subject): boolean {
    return policies.some(({ name }) => this.#overrides.get(name)?.has(subject) === true)
  }

  #overrideOf(policy: string, subject: Subject, now: number): ControlEntry | undefined {
    const entry = this.#overrides.get(policy)?.get(subject)
    return entry !== undefined && holds(entry, now) ? entry : undefined
  }

  #changeOf(policy: string, now: number): ControlEntry | undefined {
    const entry = this.#changes.get(policy)
    return entry !== undefined && holds(entry, now) ? entry : undefined
  }

  #ofAddress(client: ClientIds, now: number): ControlEntry | undefined {
    if (this.#kinds.has('ip')) {
      const own = this.#named(client.ip(), now)
      if (own !== undefined) return own
    }
    if (this.#networks.size === 0) return undefined
    const { address, prefix } = client
    return address && this.#networks.find(address, now, prefix)
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
      variants.set(entry, (variant = this.#withNumbers(policy, entry.numbers as PolicyNumbers)))
    return variant
  }

  // Numbers that do not fit this policy change nothing: a broken entry must never refuse anybody.
  #withNumbers(policy: CompiledPolicy, numbers: PolicyNumbers): CompiledPolicy {
    try {
      return policy.with(numbers)
    } catch (error) {
      this.#misfit(policy.name, error)
      return policy
    }
  }
}
