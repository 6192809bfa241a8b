import type { CompiledPolicy, Subject } from '@halt/core/gate'
import { type ClientIds, type Clock, idsOfSubject } from './client-ids.ts'
import { type ControlEntry, holds, isNetwork, type PolicyNumbers } from './entries.ts'
import { NetworkEntries, type NetworkEntry } from './network-entries.ts'

/** Hears of a policy that cannot have the numbers of an entry. */
type Misfit = (policy: string, error: unknown) => void

/** The entries that block a subject and that let it pass. While both hold, it is blocked. */
interface Access {
  readonly block?: ControlEntry
  readonly allow?: ControlEntry
}

/** The entries of a control document, ready to be looked up. It is made once a version. */
export class ControlState {
  /**
   * Marks a client that no entry concerns, so that its next request need not be looked up. It is not the state itself, because
   * clients are remembered for longer than a version.
   */
  readonly mark: object = {}
  /** Whether an entry blocks an address, alone or together with another id. */
  readonly blocksAddresses: boolean
  /** Whether an entry blocks an id of the application's own choice or lets it pass. A request has such ids in its keys alone. */
  readonly namesCustom: boolean
  readonly #misfit: Misfit
  readonly #access = new Map<string, Access>()
  readonly #networks: NetworkEntries
  readonly #overrides = new Map<string, Map<Subject, ControlEntry>>()
  readonly #changes = new Map<string, ControlEntry>()
  // Whether an entry names an address, a user, an API key, or one of the last two together with an address.
  readonly #namesIp: boolean
  readonly #namesUser: boolean
  readonly #namesKey: boolean
  readonly #hasPairs: boolean
  readonly #variants = new WeakMap<CompiledPolicy, Map<ControlEntry, CompiledPolicy>>()
  readonly #lists = new WeakMap<
    readonly CompiledPolicy[],
    { readonly until: number; readonly list: readonly CompiledPolicy[] }
  >()

  /**
   * @param misfit called for each policy that cannot have the numbers of an entry
   * @throws HaltError if the network that an entry names is not valid
   */
  constructor(entries: readonly ControlEntry[], misfit: Misfit = () => {}) {
    const kinds = new Set<string>()
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
        this.#access.set(target, { ...this.#access.get(target), [kind]: entry })
        kinds.add(target.slice(0, target.indexOf(':')) + (target.includes('+ip:') ? '+ip' : ''))
      }
    }
    this.#networks = new NetworkEntries(networks)
    this.blocksAddresses = entries.some(
      ({ kind, target = '' }) => kind === 'block' && (isNetwork(target) || /^ip:|\+ip:/.test(target)),
    )
    this.#namesIp = kinds.has('ip')
    this.#namesUser = kinds.has('user') || kinds.has('user+ip')
    this.#namesKey = kinds.has('api-key') || kinds.has('api-key+ip')
    this.namesCustom = kinds.has('custom')
    this.#hasPairs = kinds.has('user+ip') || kinds.has('api-key+ip')
  }

  /** Whether an entry may concern clients, whatever their policies. */
  get hasAccess(): boolean {
    return this.#access.size + this.#networks.size > 0
  }

  /** Whether the address alone tells whether such an entry concerns a client. */
  get isByAddress(): boolean {
    return !this.#namesUser && !this.#namesKey && !this.namesCustom
  }

  /** The policies whose numbers some entry sets. */
  get policies(): readonly string[] {
    return [...new Set([...this.#changes.keys(), ...this.#overrides.keys()])]
  }

  /**
   * The entry that blocks a client or lets it pass. A block of any of its ids comes before a permission. Of the entries about its
   * address, the most special one counts.
   *
   * @param clock asked only if there is an entry
   */
  accessOf(client: ClientIds, clock: Clock): ControlEntry | undefined {
    // perf: bench "control"; arrays of what was found took a tenth of a check.
    const ofAddress = this.#ofAddress(client, clock)
    if (ofAddress?.kind === 'block') return ofAddress
    const ofUser = this.#namesUser ? this.#ofId(client.user(), client, clock) : undefined
    if (ofUser?.kind === 'block') return ofUser
    const ofKey = this.#namesKey ? this.#ofId(client.apiKey(), client, clock) : undefined
    if (ofKey?.kind === 'block') return ofKey
    const ofCustom = this.namesCustom ? this.#ofCustoms(client.customs(), clock) : undefined
    return ofCustom?.kind === 'block' ? ofCustom : (ofAddress ?? ofUser ?? ofKey ?? ofCustom)
  }

  /** The entry that blocks a subject or lets it pass: an entry of its own, or of a part of it, as for a client. */
  accessOfSubject(subject: Subject, clock: Clock): ControlEntry | undefined {
    const own = this.#named(subject, clock)
    if (own?.kind === 'block') return own
    const ids = idsOfSubject(subject)
    const other = ids === undefined ? undefined : this.accessOf(ids, clock)
    return other?.kind === 'block' ? other : (own ?? other)
  }

  /** The policies with the numbers that hold for everybody now. The same list gives the same list. */
  changed(policies: readonly CompiledPolicy[], clock: Clock): readonly CompiledPolicy[] {
    if (this.#changes.size === 0) return policies
    const now = clock.now()
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
    subjects: readonly { readonly subject: Subject }[],
    clock: Clock,
  ): readonly CompiledPolicy[] {
    // Made only if a client has numbers of its own.
    let list: CompiledPolicy[] | undefined
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as CompiledPolicy
      const { subject } = subjects[i] as { readonly subject: Subject }
      const entry = this.#overrideOf(policy.name, subject, clock)
      if (entry !== undefined) (list ??= [...policies])[i] = this.#variant(policy, entry)
    }
    return list ?? policies
  }

  /** The entries whose numbers a policy has for a client now: everybody's, then the client's own. */
  numbersOf(policy: CompiledPolicy, subject: Subject, clock: Clock): readonly ControlEntry[] {
    return [this.#changeOf(policy.name, clock), this.#overrideOf(policy.name, subject, clock)].filter(
      entry => entry !== undefined && this.#variant(policy, entry) !== policy,
    ) as ControlEntry[]
  }

  /** Whether a client has numbers of its own, whatever the policy. */
  isOverridden(subject: Subject): boolean {
    for (const own of this.#overrides.values()) if (own.has(subject)) return true
    return false
  }

  #overrideOf(policy: string, subject: Subject, clock: Clock): ControlEntry | undefined {
    const entry = this.#overrides.get(policy)?.get(subject)
    return entry !== undefined && holds(entry, clock.now()) ? entry : undefined
  }

  #changeOf(policy: string, clock: Clock): ControlEntry | undefined {
    const entry = this.#changes.get(policy)
    return entry !== undefined && holds(entry, clock.now()) ? entry : undefined
  }

  #ofAddress(client: ClientIds, clock: Clock): ControlEntry | undefined {
    const own = this.#namesIp ? this.#named(client.ip(), clock) : undefined
    if (this.#networks.size === 0) return own
    const { address, prefix } = client
    const around = address && this.#networks.find(address, clock, prefix)
    if (own === undefined || around === undefined) return own ?? around?.entry
    return isBefore(around, own, client.ip()) ? around.entry : own
  }

  /** The entry about an id, or about the id and the address together. */
  #ofId(subject: Subject | undefined, client: ClientIds, clock: Clock): ControlEntry | undefined {
    if (subject === undefined) return undefined
    const own = this.#named(subject, clock)
    if (own?.kind === 'block' || !this.#hasPairs) return own
    const pair = this.#named(`${subject}+${client.ip()}`, clock)
    return pair?.kind === 'block' ? pair : (own ?? pair)
  }

  #ofCustoms(subjects: readonly Subject[], clock: Clock): ControlEntry | undefined {
    const found = subjects.map(subject => this.#named(subject, clock))
    return found.find(entry => entry?.kind === 'block') ?? found.find(entry => entry !== undefined)
  }

  #named(subject: Subject, clock: Clock): ControlEntry | undefined {
    const access = this.#access.get(subject)
    if (access === undefined) return undefined
    const now = clock.now()
    if (access.block !== undefined && holds(access.block, now)) return access.block
    return access.allow !== undefined && holds(access.allow, now) ? access.allow : undefined
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

/** Whether the entry of a network comes before the entry of an address's key: it is more special, or it blocks and the other does not. */
function isBefore({ entry, version, prefix }: NetworkEntry, own: ControlEntry, key: Subject): boolean {
  // The key of an IPv6 address names its network: `ip:2001:db8::/56`. All others name an IPv4 address.
  const slash = key.indexOf('/')
  const isComparable = version === (slash < 0 ? 4 : 6)
  const length = slash < 0 ? 32 : Number(key.slice(slash + 1))
  if (isComparable && prefix !== length) return prefix > length
  return entry.kind === 'block' && own.kind === 'allow'
}
