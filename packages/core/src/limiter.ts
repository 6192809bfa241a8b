import { answer, type Charge, exempt, refusal } from './answer.ts'
import { type AnyPolicy, type CompiledPolicy, refuseDuplicates } from './compiled-policy.ts'
import { type Cost, checkCost, costFor, type WHOLE_LIMIT } from './cost.ts'
import { Decision } from './decision.ts'
import { type Digest, makeDigest } from './digest.ts'
import { HaltError, type HaltWarning, type Warn, warnOnce } from './errors.ts'
import { explain, type Explanation } from './explanation.ts'
import { Keyring } from './keyring.ts'
import { Observer } from './observer.ts'
import { checkOptions, type LimiterNumbers, type RateLimiterOptions } from './options.ts'
import { type CompiledPenalty, compilePenalty } from './penalty-config.ts'
import { PolicySource } from './policy-source.ts'
import { ask, type Keyed, type Question } from './question.ts'
import { Caller, type CallerSettings } from './request/caller.ts'
import { compileClientIp } from './request/client-ip.ts'
import { compileHealthChecks } from './request/exemptions.ts'
import { type Identity, isIdentity, SHARED, type Subject, subjectOf } from './request/identity.ts'
import { type RequestView, toView } from './request/view.ts'
import { Judge, type Judgement } from './resilience/judge.ts'
import { cellsOf, release, settlement } from './settlement.ts'
import type { Store } from './store/contract.ts'
import { isPromise } from './timers.ts'

/** Options of one check. */
export interface CheckOptions<R = unknown> {
  /** Units: a number for every policy, or by policy name. Default each policy's own. */
  readonly cost?: Cost | typeof WHOLE_LIMIT | undefined
  /** Decides instead of the limiter's policies. */
  readonly policy?: AnyPolicy<R> | readonly AnyPolicy<R>[] | undefined
  /** Decides beside them, all charged or none. */
  readonly also?: AnyPolicy<R> | readonly AnyPolicy<R>[] | undefined
  /** The client's address, where the caller knows better. */
  readonly ip?: string | undefined
  /** The same key is charged once. */
  readonly idempotencyKey?: string | undefined
}

/** A charge made in advance. */
export interface Reservation {
  readonly decision: Decision
  /** Corrects the charge to what was used. */
  settle(actual: Cost): Promise<void>
  /** Gives the whole charge back. */
  cancel(): Promise<void>
}

/**
 * Decides requests by policies whose counters are in a store. `R` is the framework's request.
 *
 * @throws HaltError when an option or a policy is wrong; a request never throws, it always gets a decision
 * @example
 * const limiter = new RateLimiter({ store: new InMemoryStore(), policy: presets.PUBLIC_API })
 * const decision = await limiter.check(request)
 */
export class RateLimiter<R = unknown> {
  /** The counters. */
  readonly store: Store
  /** Passes on a warning, once per code. */
  readonly warn: Warn
  readonly #options: RateLimiterOptions<R>
  readonly #numbers: LimiterNumbers
  readonly #callers: CallerSettings
  readonly #digest: Digest
  readonly #policies: PolicySource
  readonly #keys: Keyring
  readonly #penalty: CompiledPenalty | undefined
  readonly #judge: Judge
  readonly #observer: Observer
  readonly #isHealthCheck: (method: string, path: string) => boolean

  constructor(options: RateLimiterOptions<R>) {
    const numbers = (this.#numbers = checkOptions(options as RateLimiterOptions<never>))
    const { store, policy, fallbackPolicy, penalty, telemetry, onStoreError = 'local' } = options
    this.#options = options
    this.store = store
    this.warn = warnOnce(options.warn)
    this.#digest = makeDigest(options.secret)
    this.#penalty = penalty === undefined ? undefined : compilePenalty(penalty)
    this.#callers = {
      clientIp: compileClientIp(options),
      resolveIp: options.clientIp as CallerSettings['resolveIp'],
      ipv6Prefix: numbers.ipv6Prefix,
      userId: options.userId as CallerSettings['userId'],
      apiKey: options.apiKey as CallerSettings['apiKey'],
      digest: this.#digest,
      warn: this.warn,
    }
    this.#isHealthCheck = compileHealthChecks(options.exemptHealthChecks)
    this.#keys = new Keyring(numbers.callbackTimeout, this.warn)
    const context = { multiplier: this.#penalty?.multiplier, keysPerAddress: numbers.keysPerAddress }
    this.#policies = new PolicySource(policy as never, fallbackPolicy as never, context, numbers.callbackTimeout, this.warn)
    this.#observer = new Observer(telemetry, store.kind ?? 'custom', this.warn)
    this.#judge = new Judge({
      store,
      timeout: numbers.storeTimeout,
      onStoreError,
      instances: numbers.instances,
      warn: this.warn,
      onFailure: (error, failure) => this.#observer.storeFailed(error, failure),
    })
  }

  /** The limiter's options as given. */
  get options(): RateLimiterOptions<R> {
    return this.#options
  }

  /** How long a callback may take, milliseconds. */
  get callbackTimeout(): number {
    return this.#numbers.callbackTimeout
  }

  /** A policy this limiter has met, by name. */
  policyNamed(name: string): CompiledPolicy | undefined {
    return this.#policies.named(name)
  }

  /**
   * Validates and compiles what checks will name as `policy` and `also`, so that a mistake shows at start and not in a
   * request. Without a `policy`: the limiter's own.
   *
   * @throws HaltError with a code for the field that is wrong; `HALT_E_DUPLICATE_POLICY`
   */
  compile(policy?: CheckOptions<R>['policy'], also?: CheckOptions<R>['also']): readonly CompiledPolicy[] {
    const own = policy === undefined ? this.policies : this.#policies.compile(policy as never)
    if (also === undefined) return own
    const all = [...own, ...this.#policies.compile(also as never)]
    refuseDuplicates(all)
    return all
  }

  /** The fixed policies; empty with a resolver. */
  get policies(): readonly CompiledPolicy[] {
    return this.#policies.fixed ?? []
  }

  /**
   * Decides a request, and charges it when it is allowed.
   *
   * @param request any Node request, a Fetch `Request`, or a `RequestView`
   * @throws HaltError `HALT_E_COST`, `HALT_E_POLICY…`: a mistake in the call, never the request's content
   */
  async check(request: R | RequestView, options: CheckOptions<R> = {}): Promise<Decision> {
    return this.decide(toView(request), options)
  }

  /** As {@link check} for a view, at once where store, policies and keys are: what adapters call. */
  decide(view: RequestView, options: CheckOptions<R> = {}): Decision | Promise<Decision> {
    checkCost(options.cost)
    const started = this.#observer.start()
    const caller = new Caller(view, this.#callers, options.ip)
    const policies = options.policy === undefined ? this.#policies.resolve(view.request, view.context) : this.#policies.compile(options.policy as never)
    if (!isPromise(policies)) return this.#decideBy(this.#join(policies, options), caller, options, started, false)
    return policies.then(found => this.#decideBy(this.#join(found, options), caller, options, started, false))
  }

  #join(policies: readonly CompiledPolicy[] | undefined, { also }: CheckOptions<R>): readonly CompiledPolicy[] | undefined {
    return policies === undefined || also === undefined ? policies : this.#policies.join(policies, also as never)
  }

  /** What {@link check} would say now; consumes nothing. */
  async peek(target: R | RequestView | Identity): Promise<Decision> {
    if (isIdentity(target)) return this.#decideIdentity(target, {}, true)
    const caller = new Caller(toView(target), this.#callers)
    return this.#decideBy(await this.#policies.resolve(caller.view.request, caller.view.context), caller, {}, 0, true)
  }

  /**
   * Charges every policy of the limiter for an identity: jobs, sockets, model calls.
   *
   * @throws HaltError `HALT_E_POLICY_REQUIRED` when the policies come from a resolver and none is given
   */
  async consume(identity: Identity, options: Omit<CheckOptions<R>, 'ip'> = {}): Promise<Decision> {
    checkCost(options.cost)
    return this.#decideIdentity(identity, options, false)
  }

  /**
   * Corrects what a decision charged to what was really used; 0 gives all of it back. May overdraw.
   *
   * Does nothing for what was exempt, refused or decided without the store, and, with a warning, a second time.
   *
   * @throws HaltError `HALT_E_SETTLE` for a copy of a decision; `HALT_E_COST`
   */
  async settle(decision: Decision, actual: Cost): Promise<void> {
    checkCost(actual)
    const receipt = receiptOf(decision)
    if (receipt.settled) {
      return this.warn({
        code: 'HALT_W_SETTLED_TWICE',
        message: 'A decision was settled a second time; the first settlement stands.',
        fix: 'Settle once, in one place: a finally block.',
      })
    }
    receipt.settled = true
    const charge = receipt.charge as Charge | undefined
    if (charge !== undefined) await this.#correct(settlement(charge, actual))
  }

  /** Ends a request in flight that a `concurrency` policy counts. Once; adapters do it when the response ends. */
  async release(decision: Decision): Promise<void> {
    const receipt = receiptOf(decision)
    const charge = receipt.charge as Charge | undefined
    if (receipt.released || charge === undefined) return
    receipt.released = true
    await this.#correct(release(charge))
  }

  /** Charges an estimate; settle or cancel it afterwards. What neither happens to stays charged. */
  async reserve(target: R | RequestView | Identity, options: CheckOptions<R> = {}): Promise<Reservation> {
    const decision = isIdentity(target) ? await this.consume(target, options) : await this.check(target, options)
    return {
      decision,
      settle: actual => this.settle(decision, actual),
      cancel: async () => {
        await this.settle(decision, 0)
        await this.release(decision)
      },
    }
  }

  /** Forgets the counters and cool-downs of an identity, or those a decision counted on; never quotas or penalties. */
  async reset(target: Identity | Decision): Promise<void> {
    const keys = Decision.receiptOf(target) === undefined ? undefined : (target as Decision).verdicts
    const subject = keys === undefined ? this.#subject(target as Identity) : ''
    const cells = [...this.#policies.known()]
      .filter(policy => policy.calendar === undefined)
      .flatMap(policy => {
        const subjects = keys === undefined ? [subject] : keys.filter(key => key.policy === policy.name).map(({ key }) => key)
        return policy.cells().flatMap(cell => subjects.map(found => ({ subject: found, cell })))
      })
    this.#judge.forget(cells)
    await this.#judge.insist(() => this.store.forget(cells))
  }

  /** Shows how a request or an identity would be decided, and why; consumes nothing. */
  async explain(target: R | RequestView | Identity): Promise<Explanation> {
    const decision = await this.peek(target)
    if (isIdentity(target)) return explain({ decision, policies: this.policies })
    const caller = new Caller(toView(target), this.#callers)
    const policies = (await this.#policies.resolve(caller.view.request, caller.view.context)) ?? []
    const exemptions = policies.map(policy => ({ policy, why: this.#exemption(policy, caller) }))
    const walk = this.#callers.clientIp
    return explain({ decision, policies, caller, exemptions, walk })
  }

  /** Checks the store and the set-up; resolves to what should be mended. */
  async ready(): Promise<HaltWarning[]> {
    const found = await this.store.inspect?.()
    return [...(found ?? [])]
  }

  /** Ends what the limiter and its store opened themselves. */
  async close(): Promise<void> {
    await this.store.close?.()
  }

  #decideBy(
    policies: readonly CompiledPolicy[] | undefined,
    caller: Caller,
    options: CheckOptions<R>,
    started: number,
    peek: boolean,
  ): Decision | Promise<Decision> {
    const { view } = caller
    if (policies === undefined) return this.#refuse(undefined, caller, 'policy-error', options, started)
    if (this.#isHealthCheck(view.method, view.path)) return this.#exempt(policies[0], caller, started)
    const keyed: Keyed[] = []
    let pending: Promise<void>[] | undefined
    let denied: CompiledPolicy | undefined
    for (const policy of policies) {
      if (policy.off || this.#exemption(policy, caller) !== undefined) continue
      const key = this.#keys.find(policy, caller)
      const at = keyed.length
      if (isPromise(key)) {
        keyed.push(undefined as never)
        const settle = key.then(found => void (keyed[at] = found === 'allow' ? (undefined as never) : accept(policy, found)))
        ;(pending ??= []).push(settle)
      } else if (key !== 'allow') keyed.push(accept(policy, key))
    }
    function accept(policy: CompiledPolicy, key: Awaited<ReturnType<Keyring['find']>>): Keyed {
      if (key === 'deny' || key === 'allow') denied ??= policy
      return { policy, key: key as Keyed['key'] }
    }
    const finish = (): Decision | Promise<Decision> => {
      if (denied !== undefined) return this.#refuse(denied, caller, 'missing-key', options, started)
      const present = pending === undefined ? keyed : keyed.filter(entry => entry !== undefined)
      if (present.length === 0) return this.#exempt(policies[0], caller, started)
      return this.#judgeKeyed(present, options, caller, started, peek)
    }
    return pending === undefined ? finish() : Promise.all(pending).then(finish)
  }

  #judgeKeyed(
    keyed: readonly Keyed[],
    options: CheckOptions<R>,
    caller: Caller | undefined,
    started: number,
    peek: boolean,
    principal?: Subject,
  ): Decision | Promise<Decision> {
    const unverified = keyed.some(({ key }) => key.unverified)
    const question = ask(keyed, {
      cost: options.cost,
      peek,
      route: caller && routeOf(caller.view),
      address: unverified && caller !== undefined ? caller.ip : '',
      penalty: this.#penalty,
      principal: this.#penalty === undefined ? undefined : (principal ?? caller?.principal),
      idempotencyKey: options.idempotencyKey,
      digest: this.#digest,
      nowMs: Date.now(),
    })
    const judgement = this.#judge.ask(question)
    if (!isPromise(judgement)) return this.#conclude(judgement, question, caller, started, peek)
    return judgement.then(found => this.#conclude(found, question, caller, started, peek))
  }

  #conclude(judgement: Judgement, question: Question, caller: Caller | undefined, started: number, peek: boolean): Decision {
    const decision = read(judgement, question)
    if (!peek) this.#observer.decided(decision, question, 'degraded' in judgement ? undefined : judgement.verdict, caller?.view, started)
    return decision
  }

  async #decideIdentity(identity: Identity, options: CheckOptions<R>, peek: boolean): Promise<Decision> {
    const policies = options.policy === undefined ? this.#policies.fixed : this.#policies.compile(options.policy as never)
    if (policies === undefined) {
      throw new HaltError('HALT_E_POLICY_REQUIRED', 'The policies come from a resolver, and an identity is no request.', 'Give { policy }.')
    }
    const subject = this.#subject(identity)
    const keyed = policies
      .filter(policy => !policy.off)
      .map(policy => ({
        policy,
        key: { subject: policy.keyStrategy === 'shared' ? SHARED : subject, how: 'the given identity', unverified: false },
      }))
    const first = policies[0]
    if (keyed.length === 0) return exempt({ policy: first?.name ?? '', limit: first?.limit ?? 0, key: subject }, Date.now())
    return this.#judgeKeyed(keyed, options, undefined, this.#observer.start(), peek, subject)
  }

  #subject(identity: Identity): Subject {
    return subjectOf(identity, 'custom', this.#digest, this.#callers.ipv6Prefix)
  }

  /** Why a policy does not count a request; undefined when it does. */
  #exemption(policy: CompiledPolicy, caller: Caller): string | undefined {
    const { exemptions } = policy
    if (exemptions !== undefined) {
      const path = exemptions.path(caller.view.path)
      if (path !== undefined) return `the path is under "${path}"`
      if (exemptions.address(caller.address)) return 'the client address is in exemptions'
    }
    const wanted = policy.exemptPrivateIps ?? this.#options.exemptPrivateIps
    if (wanted === false) return undefined
    if (!caller.isPrivatePeer) {
      this.#noticeProxy(caller)
      return undefined
    }
    if (wanted === undefined) {
      this.warn({
        code: 'HALT_W_PRIVATE_EXEMPT',
        message: `A request from the private address ${caller.address?.text} was not counted.`,
        fix: 'Give exemptPrivateIps: false to count these too (on localhost nothing is limited else), or true to silence this.',
      })
    }
    return 'the socket peer is private and forwards for nobody'
  }

  #noticeProxy(caller: Caller): void {
    const proxy = caller.untrustedProxy
    if (proxy === undefined) return
    this.warn({
      code: 'HALT_W_UNTRUSTED_PROXY',
      message: `The private peer ${proxy} names clients in a header, but is not trusted: all its clients share one counter.`,
      fix: `If it is your proxy: trustedProxies: ["${proxy}"].`,
    })
  }

  #exempt(policy: CompiledPolicy | undefined, caller: Caller, started: number): Decision {
    const decision = exempt({ policy: policy?.name ?? '', limit: policy?.limit ?? 0, key: caller.ip }, Date.now())
    this.#observer.exempt(decision, policy, caller.view, started)
    return decision
  }

  #refuse(
    policy: CompiledPolicy | undefined,
    caller: Caller,
    reason: 'missing-key' | 'policy-error',
    options: CheckOptions<R>,
    started: number,
  ): Decision {
    const cost = policy === undefined ? 1 : costFor(policy, options.cost)
    const item = { policy: policy?.name ?? '', limit: policy?.limit ?? 0, key: caller.ip, cost }
    const decision = refusal(reason, item, Date.now(), false, reason === 'policy-error' ? 1 : 0)
    this.#observer.refused(decision, policy, caller.view, started)
    return decision
  }

  async #correct(group: ReturnType<typeof settlement>): Promise<void> {
    if (group === undefined) return
    this.#judge.forget(cellsOf(group))
    try {
      await this.#judge.insist(() => this.store.evaluate(group))
    } catch {
      // The charge stands as it was made; the failure was warned of and reported.
    }
  }
}

function read(judgement: Judgement, question: Question): Decision {
  if (!('degraded' in judgement)) return answer(question, judgement.verdict)
  const { degraded, closing, verdict, question: local } = judgement
  const first = question.items[0]
  if (closing !== undefined) {
    const { policy, key, cost } = closing
    const item = { policy: policy.name, limit: policy.limit, key: key.subject, cost }
    return refusal('store-error', item, Date.now(), 'closed', 1)
  }
  if (local.items.length > 0) return answer(local, verdict, degraded)
  const item = { policy: first?.policy.name ?? '', limit: first?.policy.limit ?? 0, key: first?.key.subject ?? '' }
  const open = exempt(item, Date.now())
  return new Decision({ ...open, reason: 'ok', cost: first?.cost ?? 0, degraded: 'open' }, undefined, Date.now() / 1000)
}

// HEAD asks what GET would say. Without a matched route the path stands in, as routers that ignore case and trailing
// slashes see it. No spaces: stores that join subject and cell by one tell them apart by it.
function routeOf({ method, route, path }: RequestView): string {
  const verb = method === 'HEAD' ? 'GET' : method
  const place = route ?? (path.length > 1 ? path.replace(/\/+$/, '') : path).toLowerCase()
  return `${verb}:${place}`.replaceAll(' ', '%20')
}

function receiptOf(decision: Decision): NonNullable<ReturnType<typeof Decision.receiptOf>> {
  const receipt = Decision.receiptOf(decision)
  if (receipt !== undefined) return receipt
  throw new HaltError('HALT_E_SETTLE', 'This is no decision of a limiter, or a copy of one.', 'Pass the very object that check() gave.')
}
