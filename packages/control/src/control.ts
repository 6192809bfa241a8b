import {
  checkNames,
  type CompiledPolicy,
  fromCaller,
  type Gate,
  type GateParts,
  type GateSource,
  type Identity,
  type LimiterPolicies,
  mayShareData,
  namesOf,
  type Store,
  type StoreClock,
  type Subject,
  type Warn,
  warnOnce,
} from '@halt/core/gate'
import { readAct, readNoted, readNumbers, readPolicyName } from './act-check.ts'
import { ActHistory } from './act-history.ts'
import { ActQueue } from './act-queue.ts'
import { Beat } from './beat.ts'
import type { ControlState } from './control-state.ts'
import { controlElsewhere } from './document-warnings.ts'
import type {
  ActOptions,
  BlockOptions,
  ControlAct,
  ControlEntry,
  NotedAct,
  PolicyNumbers,
} from './entries.ts'
import { EntryActs, type EntryName } from './entry-acts.ts'
import { ControlGate } from './gate.ts'
import { Ledger } from './ledger.ts'
import { type NetworkSize, sizeOfNetwork } from './network-entries.ts'
import { PolicyWatch } from './policy-watch.ts'
import { documentsOf, learnTime } from './store-calls.ts'
import { Targets } from './targets.ts'

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

const OPTIONS = namesOf<ControlOptions>({ store: true, secret: true, ipv6Prefix: true, warn: true })

/**
 * Lets an operator act on limiters without a deploy: block clients, let them pass, change numbers.
 *
 * Its entries stand in one small document in the store. Every process reads the document once a second and keeps the last one
 * while the store is away. If the store comes back without it, the processes write it back. A check asks nobody. Make one for each
 * process and give it to the limiters.
 *
 * @throws HaltError `HALT_E_OPTION`; `HALT_E_CONTROL` if the store has no documents
 * @example
 * const control = new Control({ store })
 * const limiter = new RateLimiter({ store, policy, control })
 * await control.block({ ip: '203.0.113.0/24' }, { for: '2h', reason: 'scraping', by: 'support' })
 */
export class Control implements GateSource {
  /** The store of the document. */
  readonly store: Store
  readonly #targets: Targets
  readonly #ledger: Ledger
  readonly #history: ActHistory
  readonly #acts: EntryActs
  readonly #beat: Beat
  readonly #watch: PolicyWatch

  constructor(options: ControlOptions) {
    const { store, secret, ipv6Prefix, warn } = fromCaller(Control, () => {
      checkNames(options as unknown as Readonly<Record<string, unknown>>, OPTIONS, 'Control')
      return options
    })
    const warnings = warnOnce(warn)
    this.#targets = new Targets(secret, ipv6Prefix, warnings)
    const document = documentsOf(store, 'HALT_E_CONTROL')
    this.store = store
    this.#watch = new PolicyWatch(warnings)
    this.#ledger = new Ledger(store, document('control'), warnings, this.#watch)
    this.#history = new ActHistory(document('control-history'))
    const queue = new ActQueue(store, this.#ledger, this.#history)
    this.#beat = new Beat(this.#ledger, queue, this.#watch)
    this.#acts = new EntryActs(queue, this.#ledger, this.#beat, this.#watch)
  }

  /** @internal The entries that hold, ready to be looked up; undefined while there are none. Limiters read it at each check. */
  get state(): ControlState | undefined {
    return this.#ledger.state
  }

  /** @internal Makes the gate of a limiter. */
  gate(parts: GateParts): Gate {
    return new ControlGate(() => this.state, parts)
  }

  /** Notes the policies of a limiter, so that an entry about an unknown policy is warned of. Limiters call it. */
  notePolicies(policies: LimiterPolicies): void {
    this.#watch.add(policies)
  }

  /** @internal Notes a store whose counters obey this document. Limiters and managers call it. */
  noteStore(store: Store, warn: Warn): void {
    this.store.obeys?.()
    if (mayShareData(store, this.store)) return
    warn(controlElsewhere(store, this.store))
  }

  /** @internal The entry that blocks a client or lets it pass. Managers ask for it. */
  accessFor(subject: Subject, clock: StoreClock): ControlEntry | undefined {
    return this.state?.accessOfSubject(subject, clock)
  }

  /** @internal A policy with the numbers that hold now for the owner of a counter. Managers ask for it. */
  numbered(policy: CompiledPolicy, owner: Subject, clock: StoreClock): CompiledPolicy {
    const { state } = this
    return state?.overridden(state.changed([policy], clock), [{ subject: owner }], clock)[0] ?? policy
  }

  /**
   * Whether an act on a client or a network reaches the requests from an address. Ask it before operators block their own address.
   *
   * @example
   * control.reaches({ ip: '203.0.113.0/24' }, '203.0.113.7') // true
   */
  reaches(target: Identity, address: string): boolean {
    return this.#targets.reach(target, address)
  }

  /**
   * The text that names a client or a network in entries and in the history, however it is spelled.
   *
   * @throws HaltError `HALT_E_IDENTITY`, `HALT_E_CONTROL`
   * @example
   * control.keyOf({ ip: '2001:DB8::/32' }) // '2001:db8::/32'
   */
  keyOf(target: Identity): string {
    return this.#targets.of(target)
  }

  /**
   * The identity that a key names, as decisions, entries, the command line and the operator's page show it. It is the reverse of
   * {@link keyOf}. Undefined for a text that names no client.
   *
   * @throws HaltError `HALT_E_CONTROL` for a network that has no such form
   * @example
   * control.identityOf('user:42+ip:203.0.113.7') // { user: '42', ip: '203.0.113.7' }
   * control.identityOf('api-key:#-OXgHUlvqovSdjryN3E1lQ') // { apiKey: { digest: '-OXgHUlvqovSdjryN3E1lQ' } }
   */
  identityOf(key: string): Exclude<Identity, string> | undefined {
    return this.#targets.identityOf(key)
  }

  /**
   * How many clients a network has, and whether an entry about it needs `force`. Undefined for one client.
   *
   * @throws HaltError `HALT_E_IDENTITY`, `HALT_E_CONTROL`
   * @example
   * control.sizeOf({ ip: '10.0.0.0/7' })?.needsForce // true
   */
  sizeOf(target: Identity): NetworkSize | undefined {
    return sizeOfNetwork(this.#targets.of(target))
  }

  /**
   * Refuses a client or a network everywhere, with the reason `"blocked"`. Quotas and penalties are not charged. Resolves to the
   * entry. Its `scope` is `"process"` if the store is away, so that it holds in this process alone for now ({@link ActOptions}).
   *
   * @throws HaltError `HALT_E_CONTROL`, `HALT_E_CONTROL_FULL`, `HALT_E_IDENTITY`, `HALT_E_DURATION`; `HALT_E_STORE` if the store does
   *   not take it and it may not hold here alone. All acts reject so
   */
  block(target: Identity, options: BlockOptions = {}): Promise<ControlEntry> {
    return this.#acts.put(options, now => ({
      kind: 'block',
      ...readAct(options, now),
      target: this.#targets.ofNew(target, options.force),
    }))
  }

  /**
   * Ends the block of a client or a network. A permission of it counts again. Resolves to whether there was a block. A
   * process that has read no document yet cannot tell: it resolves to true, and ends the block when it reads of one.
   */
  unblock(target: Identity, options: ActOptions = {}): Promise<boolean> {
    return this.#acts.takeBack(() => ({ kind: 'block', target: this.#targets.of(target) }), options)
  }

  /**
   * Lets a client or a network pass everywhere, uncounted, with the reason `"exempt"`. While a block of the client holds, the block
   * counts. Resolves to the entry, as {@link block} does.
   */
  allow(target: Identity, options: BlockOptions = {}): Promise<ControlEntry> {
    return this.#acts.put(options, now => ({
      kind: 'allow',
      ...readAct(options, now),
      target: this.#targets.ofNew(target, options.force),
    }))
  }

  /** Ends the permission of a client or a network. Resolves to whether there was one. */
  disallow(target: Identity, options: ActOptions = {}): Promise<boolean> {
    return this.#acts.takeBack(() => ({ kind: 'allow', target: this.#targets.of(target) }), options)
  }

  /** Gives one client numbers of its own for a policy. Its counter is kept. Resolves to the entry, as {@link block} does. */
  override(
    identity: Identity,
    policy: string,
    numbers: PolicyNumbers,
    options: ActOptions = {},
  ): Promise<ControlEntry> {
    return this.#acts.put(options, now => ({
      kind: 'override',
      target: this.#targets.subjectOf(identity),
      policy: readPolicyName(policy),
      numbers: readNumbers(numbers),
      ...readAct(options, now),
    }))
  }

  /** Changes the numbers of a policy for everybody. The counters are kept. Resolves to the entry, as {@link block} does. */
  change(policy: string, numbers: PolicyNumbers, options: ActOptions = {}): Promise<ControlEntry> {
    return this.#acts.put(options, now => ({
      kind: 'change',
      policy: readPolicyName(policy),
      numbers: readNumbers(numbers),
      ...readAct(options, now),
    }))
  }

  /** Takes numbers back: everybody's of a policy, or, with an identity, one client's. Resolves to whether there were any. */
  revert(
    policy: string,
    options: ActOptions & { readonly identity?: Identity | undefined } = {},
  ): Promise<boolean> {
    const { identity, ...act } = options
    const entry = (): EntryName =>
      identity === undefined
        ? { kind: 'change', policy: readPolicyName(policy) }
        : { kind: 'override', policy: readPolicyName(policy), target: this.#targets.subjectOf(identity) }
    return this.#acts.takeBack(entry, act)
  }

  /**
   * The entries that hold, as the store has them now, and the entries that hold in this process alone: their `scope` is `"process"`. Rejects
   * with `HALT_E_STORE` if the store does not answer; {@link inForce} does not ask it.
   */
  async entries(): Promise<readonly ControlEntry[]> {
    await this.#ledger.read()
    return this.#ledger.entries()
  }

  /**
   * The entries that this process obeys now: those that it has read last, and those that hold here alone, whose `scope` is `"process"`. It
   * asks nobody, so it answers while the store is away too.
   */
  inForce(): readonly ControlEntry[] {
    return this.#ledger.entries()
  }

  /**
   * Whether acts of this process wait for the store, so that they hold in this process alone. Right after `unblock`, `disallow` or
   * `revert` it tells whether the store has taken them.
   */
  get isAhead(): boolean {
    return this.#ledger.isAhead
  }

  /** The last acts, at most 1 000, the latest first. Rejects with `HALT_E_STORE` if the store does not answer. */
  async history(): Promise<readonly ControlAct[]> {
    return (await this.#history.read()).toReversed()
  }

  /**
   * Adds an act to the history that changed counters and no entry: a reset, a grant, a pause. It does not carry the act out. `units` are
   * those of a grant or an ungrant, or the counters of a reset; `for` and `until` tell the end of a pause.
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
    options: Pick<ActOptions, 'reason' | 'by' | 'for' | 'until'> = {},
  ): Promise<void> {
    const noted = readNoted(act, what)
    await learnTime(this.store, this.#ledger.clock)
    const target = this.#targets.subjectOf(what.identity)
    await this.#history.add({ ...noted, target, ...readAct(options, this.#ledger.clock.now()) })
  }

  /** Why the last document could not be read, in words; undefined if it could. The last good one holds meanwhile. */
  get problem(): string | undefined {
    return this.#ledger.problem
  }

  /** Reads the document now, instead of within a second. */
  async refresh(): Promise<void> {
    await this.#ledger.read()
  }

  /**
   * Stops reading the document. This process goes on obeying the entries that it has. An act under way is finished; acts that hold here alone are not
   * written any more.
   */
  close(): void {
    this.#beat.end()
  }
}
