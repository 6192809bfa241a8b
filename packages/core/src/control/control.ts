import { fromCaller } from '../base/call-site.ts'
import { describe } from '../base/describe.ts'
import { type Digest, makeDigest } from '../base/digest.ts'
import { checkNames, fail, namesOf } from '../base/options-check.ts'
import { type Warn, warnOnce } from '../base/warnings.ts'
import { parseAddress } from '../request/address.ts'
import { checkPrefix } from '../request/address-key.ts'
import { type Identity, subjectOf } from '../request/identity.ts'
import type { Subject } from '../request/subject.ts'
import type { Store } from '../store/contract.ts'
import { reachesAddress } from './network-entries.ts'
import { readAct, readNetwork, readNumbers, readPolicyName } from './act-check.ts'
import {
  type ActOptions,
  type ControlAct,
  type ControlEntry,
  holds,
  type NotedAct,
  type PolicyNumbers,
  slotOf,
} from './entries.ts'
import { Ledger } from './ledger.ts'
import type { ControlState } from './control-state.ts'
import { type LimiterPolicies, PolicyWatch } from './policy-watch.ts'

/** Options of a {@link Control}. */
export interface ControlOptions {
  /** The store of the limiters. It must have `document()`. */
  readonly store: Store
  /** The `secret` of the limiters, so that API keys get the same digests. */
  readonly secret?: string | undefined
  /** The `ipv6Prefix` of the limiters. Default 56. */
  readonly ipv6Prefix?: number | undefined
  /** Receives each warning once. Default `process.emitWarning`. */
  readonly warn?: Warn | undefined
}

const NOTED: readonly NotedAct[] = Object.freeze(['reset', 'grant', 'charge', 'forgive'])
const OPTIONS = namesOf<ControlOptions>({ store: true, secret: true, ipv6Prefix: true, warn: true })

/** Options of an act on a network or on a client. */
export interface BlockOptions extends ActOptions {
  /** Whether a network that contains every address may be blocked. Default false. */
  readonly force?: boolean | undefined
}

/**
 * Lets an operator act on limiters without a deploy: block clients, let them pass, change numbers.
 *
 * Its entries stand in one small document in the store. Every process reads the document once a second and keeps the last one
 * while the store is away. A check asks nobody. Make one for each process and give it to the limiters.
 *
 * @throws HaltError `HALT_E_OPTION`; `HALT_E_CONTROL` if the store has no documents
 * @example
 * const control = new Control({ store })
 * const limiter = new RateLimiter({ store, policy, control })
 * await control.block({ ip: '203.0.113.0/24' }, { for: '2h', reason: 'scraping', by: 'support' })
 */
export class Control {
  readonly #digest: Digest
  readonly #ipv6Prefix: number
  readonly #ledger: Ledger
  readonly #watch: PolicyWatch

  constructor(options: ControlOptions) {
    const { store, secret, ipv6Prefix, warn } = fromCaller(Control, () => {
      checkNames(options as unknown as Readonly<Record<string, unknown>>, OPTIONS, 'Control')
      return options
    })
    const warnings = warnOnce(warn)
    this.#digest = makeDigest(secret, warnings)
    this.#ipv6Prefix = checkPrefix(ipv6Prefix)
    if (typeof store?.document !== 'function')
      fail(
        'HALT_E_CONTROL',
        `Control got ${describe(store)}, which is not a store with documents.`,
        'Give the store of the limiters: InMemoryStore, RedisStore, PostgresStore, or one that has document(name).',
      )
    this.#watch = new PolicyWatch(warnings)
    this.#ledger = new Ledger(store as Store & Pick<Required<Store>, 'document'>, warnings, this.#watch)
  }

  /** @internal The entries that hold, ready to be looked up; undefined while there are none. Limiters read it at each check. */
  get state(): ControlState | undefined {
    return this.#ledger.state
  }

  /** Notes the policies of a limiter, so that an entry about an unknown policy is warned of. Limiters call it. */
  notePolicies(policies: LimiterPolicies): void {
    this.#watch.add(policies)
  }

  /**
   * Whether an act on a client or a network reaches the requests from an address. Ask it before an operator blocks his own address.
   *
   * @example
   * control.reaches({ ip: '203.0.113.0/24' }, '203.0.113.7') // true
   */
  reaches(target: Identity, address: string): boolean {
    const own = parseAddress(address)
    if (own === undefined) return false
    return reachesAddress(this.#targetOf(target, true), this.#subjectOf({ ip: own.text }), own)
  }

  /**
   * The text that names a client or a network in entries and in the history, however it is spelled.
   *
   * @throws HaltError `HALT_E_IDENTITY`, `HALT_E_CONTROL`
   * @example
   * control.keyOf({ ip: '2001:DB8::/32' }) // '2001:db8::/32'
   */
  keyOf(target: Identity): string {
    return this.#targetOf(target, true)
  }

  /** Refuses a client or a network everywhere, with the reason `"blocked"`. Quotas and penalties are not charged. */
  block(target: Identity, options: BlockOptions = {}): Promise<void> {
    return this.#put(now => ({
      kind: 'block',
      ...readAct(options, now),
      target: this.#targetOf(target, options.force),
    }))
  }

  /** Ends the block of a client or a network. Resolves to whether there was one. */
  unblock(target: Identity, options: ActOptions = {}): Promise<boolean> {
    return this.#take('unblock', () => ({ kind: 'block', target: this.#targetOf(target, true) }), options)
  }

  /** Lets a client or a network pass everywhere, uncounted, with the reason `"exempt"`. A block of the client comes before it. */
  allow(target: Identity, options: BlockOptions = {}): Promise<void> {
    return this.#put(now => ({
      kind: 'allow',
      ...readAct(options, now),
      target: this.#targetOf(target, options.force),
    }))
  }

  /** Ends the permission of a client or a network. Resolves to whether there was one. */
  disallow(target: Identity, options: ActOptions = {}): Promise<boolean> {
    return this.#take('disallow', () => ({ kind: 'allow', target: this.#targetOf(target, true) }), options)
  }

  /** Gives one client numbers of its own for a policy. Its counter is kept. */
  override(
    identity: Identity,
    policy: string,
    numbers: PolicyNumbers,
    options: ActOptions = {},
  ): Promise<void> {
    return this.#put(now => ({
      kind: 'override',
      target: this.#subjectOf(identity),
      policy: readPolicyName(policy),
      numbers: readNumbers(numbers),
      ...readAct(options, now),
    }))
  }

  /** Changes the numbers of a policy for everybody. The counters are kept. */
  change(policy: string, numbers: PolicyNumbers, options: ActOptions = {}): Promise<void> {
    return this.#put(now => ({
      kind: 'change',
      policy: readPolicyName(policy),
      numbers: readNumbers(numbers),
      ...readAct(options, now),
    }))
  }

  /**
   * Takes numbers back: everybody's of a policy, or, with an identity, one client's. Resolves to whether there were any.
   */
  revert(
    policy: string,
    options: ActOptions & { readonly identity?: Identity | undefined } = {},
  ): Promise<boolean> {
    const { identity, ...act } = options
    const entry = (): Pick<ControlEntry, 'kind' | 'target' | 'policy'> =>
      identity === undefined
        ? { kind: 'change', policy: readPolicyName(policy) }
        : { kind: 'override', policy: readPolicyName(policy), target: this.#subjectOf(identity) }
    return this.#take('revert', entry, act)
  }

  /** The entries that hold, as the store has them now. Rejects with `HALT_E_STORE` if the store does not answer. */
  async entries(): Promise<readonly ControlEntry[]> {
    const entries = await this.#ledger.read()
    const now = this.#ledger.clock.now()
    return entries.filter(entry => holds(entry, now))
  }

  /** The last acts, at most 1 000, the latest first. Rejects with `HALT_E_STORE` if the store does not answer. */
  async history(): Promise<readonly ControlAct[]> {
    return (await this.#ledger.history()).toReversed()
  }

  /**
   * Adds an act to the history that changed counters and no entry: a reset, a grant. It does not carry the act out.
   *
   * @throws HaltError `HALT_E_CONTROL`, `HALT_E_IDENTITY`; `HALT_E_STORE` if the store does not answer
   */
  async note(
    act: NotedAct,
    what: {
      readonly identity: Identity
      readonly policy?: string | undefined
      readonly units?: number | undefined
    },
    options: ActOptions = {},
  ): Promise<void> {
    const { identity, policy, units } = what
    if (!NOTED.includes(act))
      fail('HALT_E_CONTROL', `The act is ${describe(act)}.`, `Give one of ${NOTED.join(', ')}.`)
    const now = await this.#ledger.askTime()
    await this.#ledger.note({
      act,
      target: this.#subjectOf(identity),
      ...(policy === undefined ? {} : { policy: readPolicyName(policy) }),
      ...(units === undefined ? {} : { units }),
      ...readAct(options, now),
    })
  }

  /** Why the last document could not be read, in words; undefined if it could. The last good one holds meanwhile. */
  get problem(): string | undefined {
    return this.#ledger.problem
  }

  /** Reads the document now, instead of within a second. */
  async refresh(): Promise<void> {
    await this.#ledger.read()
  }

  /** Stops reading the document. What was read last holds on. */
  close(): void {
    this.#ledger.close()
  }

  async #put(make: (now: number) => ControlEntry): Promise<void> {
    const now = await this.#ledger.askTime()
    const entry = make(now)
    const slot = slotOf(entry)
    await this.#ledger.edit(now, entries => [...entries.filter(other => slotOf(other) !== slot), entry])
    const { kind, ...facts } = entry
    await this.#ledger.note({ act: kind, ...facts })
  }

  async #take(
    act: ControlAct['act'],
    name: () => Pick<ControlEntry, 'kind' | 'target' | 'policy'>,
    options: ActOptions,
  ): Promise<boolean> {
    const now = await this.#ledger.askTime()
    const entry = name()
    const facts = readAct(options, now)
    const slot = slotOf(entry)
    const isIt = (other: ControlEntry): boolean => other.kind === entry.kind && slotOf(other) === slot
    let found = false
    await this.#ledger.edit(now, entries => {
      found = entries.some(other => isIt(other) && holds(other, now))
      return found ? entries.filter(other => !isIt(other)) : undefined
    })
    const { kind: _, ...where } = entry
    if (found) await this.#ledger.note({ act, ...where, ...facts })
    return found
  }

  #targetOf(target: Identity, force = false): string {
    return readNetwork(target, force) ?? this.#subjectOf(target)
  }

  #subjectOf(identity: Identity): Subject {
    return subjectOf(identity, 'custom', this.#digest, this.#ipv6Prefix)
  }
}
