import { Memo } from '../base/bounded-memory.ts'
import type { Warn } from '../base/warnings.ts'
import type { Witness } from '../charge/wings.ts'
import { violationCheck } from '../check/check-builder.ts'
import type { Ask } from '../check/check-options.ts'
import type { CheckResult } from '../check/check-result.ts'
import type { Decision } from '../check/decision.ts'
import type { Evaluator } from '../check/evaluator.ts'
import { allowUncounted, refusal, uncounted } from '../check/decision-reader.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type ControlEntry, isNetwork } from '../policy/control-entry.ts'
import { costFor } from '../policy/cost.ts'
import type { CompiledPenalty } from '../policy/penalty-config.ts'
import type { Caller } from '../request/caller.ts'
import { compileHealthChecks } from '../request/exemptions.ts'
import type { Subject } from '../request/identity.ts'

// If the first 1 000 requests are all exempt, the set-up is probably wrong. An untrusted proxy is noticed within as many
// requests.
const ALL_EXEMPT_AFTER = 1000
const PRIVATE = 'the socket peer is private and is not a proxy'

/** The options of a limiter about exemptions. */
export interface ExemptionOptions {
  readonly exemptHealthChecks?: boolean | readonly string[] | undefined
  readonly exemptPrivateIps?: boolean | undefined
}

/**
 * Finds out which requests are exempt: health checks, exemptions of a policy, private peers. Warns when exemptions may hide
 * a mistake.
 */
export class ExemptionCheck {
  /** Whether a request is a health check, which no policy counts. */
  readonly isHealthCheck: ReturnType<typeof compileHealthChecks>
  /** The limiter's option. */
  readonly exemptPrivateIps: boolean | undefined
  readonly #warn: Warn
  // Private peers that once forwarded a request. They remain proxies, because a client can make some proxies drop their
  // headers.
  readonly #proxies = new Memo<true>(1024)
  #hasCounted = false
  #exempted = 0
  #proxyChecksLeft = ALL_EXEMPT_AFTER

  /** @throws HaltError `HALT_E_EXEMPTION` */
  constructor(options: ExemptionOptions, warn: Warn) {
    this.isHealthCheck = compileHealthChecks(options.exemptHealthChecks)
    this.exemptPrivateIps = options.exemptPrivateIps
    this.#warn = warn
  }

  /**
   * Whether nothing is left to learn from a request whose peer is public: one was counted before, and no untrusted proxy was
   * noticed among the first.
   */
  get isSettled(): boolean {
    return this.#hasCounted && this.#proxyChecksLeft === 0
  }

  /** Whether a policy exempts a request. Called for real checks only, because it also collects the warnings. */
  exempts(policy: CompiledPolicy, caller: Caller): boolean {
    const reason = this.reason(policy, caller)
    if (reason === undefined) {
      this.#hasCounted = true
      if (this.#exemptsPrivate(policy) !== false) this.#rememberProxy(caller)
      if (this.#proxyChecksLeft > 0) this.#detectProxy(caller)
      return false
    }
    if (reason === PRIVATE && this.#exemptsPrivate(policy) === undefined) this.#noticeExempt(caller)
    if (!this.#hasCounted && ++this.#exempted === ALL_EXEMPT_AFTER) this.#noticeAll(policy, reason)
    return true
  }

  /** Why a policy does not count a request; undefined when it does. */
  reason(policy: CompiledPolicy, caller: Caller): string | undefined {
    const { exemptions } = policy
    if (exemptions !== undefined) {
      const path = exemptions.path(caller.view.path)
      if (path !== undefined) return `the path is under "${path}"`
      if (exemptions.address(caller.address)) return 'the client address is in exemptions'
    }
    return this.#exemptsPrivate(policy) !== false && this.#isPrivateClient(caller) ? PRIVATE : undefined
  }

  /** Whether the peer is private and not a proxy. Reads the headers only for a private peer that is not a known proxy. */
  #isPrivateClient(caller: Caller): boolean {
    const peer = caller.privatePeer
    return peer !== undefined && !this.#proxies.get(peer.text) && caller.proxySign === undefined
  }

  // Called when a request was not exempt. A private peer that is not a known proxy has just turned out to be one.
  #rememberProxy(caller: Caller): void {
    const peer = caller.privatePeer
    if (peer === undefined || this.#proxies.get(peer.text)) return
    this.#proxies.set(peer.text, true)
    this.#noticeProxy(caller, peer.text)
  }

  #exemptsPrivate({ exemptPrivateIps }: CompiledPolicy): boolean | undefined {
    return exemptPrivateIps ?? this.exemptPrivateIps
  }

  #noticeExempt(caller: Caller): void {
    this.#warn({
      code: 'HALT_W_PRIVATE_EXEMPT',
      message: `A request from the private address ${caller.address?.text} was not counted.`,
      fix: 'Give exemptPrivateIps: false to count such requests (otherwise nothing is limited on localhost), or true to silence this.',
    })
  }

  #noticeAll({ name }: CompiledPolicy, reason: string): void {
    this.#warn({
      code: 'HALT_W_ALL_EXEMPT',
      message: `The first ${ALL_EXEMPT_AFTER} requests were all exempt, so nothing is limited. "${name}" exempted the last one because ${reason}.`,
      fix: 'Call limiter.explain(request). Behind a proxy on a private address give exemptPrivateIps: false, or trustedProxies.',
    })
  }

  #detectProxy(caller: Caller): void {
    this.#proxyChecksLeft--
    const peer = caller.untrustedPeer
    if (peer === undefined) return
    // A public peer that only speaks HTTP/1.0 or sends "via" may be a client.
    const isProxy =
      caller.namesAnother || (caller.privatePeer !== undefined && caller.proxySign !== undefined)
    if (!isProxy) return
    this.#proxyChecksLeft = 0
    this.#noticeProxy(caller, peer.text)
  }

  #noticeProxy(caller: Caller, peer: string): void {
    const trust = `trustedProxies: ["${peer}"]`
    const [sign, fix] = caller.namesAnother
      ? [
          'names clients in a header',
          `give ${trust}. A client that invents the header gains nothing from it.`,
        ]
      : [`${caller.proxySign}, as proxies do`, `make it send X-Forwarded-For, and give ${trust}.`]
    this.#warn({
      code: 'HALT_W_UNTRUSTED_PROXY',
      message: `The peer ${peer} ${sign}, but it is not trusted, so all its clients share one counter.`,
      fix: `If it is your proxy: ${fix}`,
    })
  }
}

/** The decisions of requests that no counter decides, because they are exempt or have no key or no policy. */
export class UncountedDecisions {
  readonly #evaluator: Evaluator
  readonly #witness: Witness | undefined
  readonly #penalty: CompiledPenalty | undefined

  constructor(evaluator: Evaluator, witness: Witness | undefined, penalty: CompiledPenalty | undefined) {
    this.#evaluator = evaluator
    this.#witness = witness
    this.#penalty = penalty
  }

  /** Allows an exempt request or identity. */
  allow(policy: CompiledPolicy | undefined, client: Caller | Subject, ask: Ask): Decision {
    const [key, view] = typeof client === 'string' ? [client] : [client.ip.subject, client.view]
    const decision = allowUncounted(uncounted(policy, key, 0), this.#evaluator.clock.now())
    if (ask.mode !== 'peek') this.#witness?.exempt(decision, policy, view, ask.started)
    return decision
  }

  /** Refuses a client that an operator has blocked. */
  refuseBlocked(
    { target = '', until }: ControlEntry,
    policy: CompiledPolicy | undefined,
    client: Caller | Subject,
    ask: Ask,
  ): Decision {
    const now = this.#evaluator.clock.now()
    const units = policy === undefined ? 1 : costFor(policy, ask.cost)
    // A client sees its own key, not the network that is blocked.
    const key = typeof client !== 'string' && isNetwork(target) ? client.ip.subject : target
    const known = uncounted(policy, key, units)
    const wait = until === undefined ? Number.POSITIVE_INFINITY : Math.max(0, until - now) / 1000
    const decision = refusal('blocked', known, now, false, wait)
    const view = typeof client === 'string' ? undefined : client.view
    if (ask.mode !== 'peek') this.#witness?.refused(decision, policy, view, ask.started)
    return decision
  }

  /** Refuses a request that has no policy, or, as a part of {@link refuseWithoutKey}, no key. */
  refuse(
    policy: CompiledPolicy | undefined,
    caller: Caller,
    reason: 'missing-key' | 'policy-error',
    ask: Ask,
  ): Decision {
    const units = policy === undefined ? 1 : costFor(policy, ask.cost)
    const known = uncounted(policy, caller.ip.subject, units)
    const wait = reason === 'policy-error' ? 1 : 0
    const decision = refusal(reason, known, this.#evaluator.clock.now(), false, wait)
    if (ask.mode !== 'peek') this.#witness?.refused(decision, policy, caller.view, ask.started)
    return decision
  }

  /** Refuses a request because it has no key. Like any refusal it scores a violation. */
  refuseWithoutKey(policy: CompiledPolicy, caller: Caller, ask: Ask): Decision | Promise<Decision> {
    const decision = this.refuse(policy, caller, 'missing-key', ask)
    // A client that departed early is not an attacker by that alone.
    if (this.#penalty?.records !== true || ask.mode === 'peek' || caller.lostAddress) return decision
    const violation = violationCheck(this.#penalty, caller)
    const scored = this.#evaluator.evaluate(violation, ask.priorGuards?.storeFailed)
    const report = (result: CheckResult): Decision => {
      if (result.degraded === false) this.#witness?.scored(violation, result.evaluation)
      return decision
    }
    return 'then' in scored ? scored.then(report) : report(scored)
  }
}
