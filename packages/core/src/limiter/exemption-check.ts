import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Warn } from '../base/warnings.ts'
import type { RateLimiterOptions } from './options.ts'
import { Memo } from '../base/memo.ts'
import type { Caller } from '../request/caller.ts'
import { compileHealthChecks } from '../request/exemptions.ts'

// So many requests that nobody counted, and none that somebody did, are no coincidence. A proxy shows in fewer.
const MANY = 1000
const PRIVATE = 'the socket peer is private and forwards for nobody'

/** Knows what is not counted: health checks, a policy's exemptions, private peers; and warns of what that may hide. */
export class ExemptionCheck {
  /** Whether a request is a health check: counted by no policy. */
  readonly isHealthCheck: (method: string, path: string) => boolean
  readonly #privateIps: boolean | undefined
  readonly #warn: Warn
  // Private peers that once forwarded for others. They stay proxies: a client can make some of them drop their headers.
  readonly #proxies = new Memo<true>(1024)
  #counts = false
  #exempted = 0
  #looks = MANY

  /** @throws HaltError `HALT_E_EXEMPTION` */
  constructor(options: Pick<RateLimiterOptions, 'exemptHealthChecks' | 'exemptPrivateIps'>, warn: Warn) {
    this.isHealthCheck = compileHealthChecks(options.exemptHealthChecks)
    this.#privateIps = options.exemptPrivateIps
    this.#warn = warn
  }

  /** Whether a policy does not count a request that is decided. */
  exempts(policy: CompiledPolicy, caller: Caller): boolean {
    const reason = this.reason(policy, caller)
    if (reason === undefined) {
      this.#counts = true
      if (this.#wantsPrivate(policy) !== false) this.#rememberProxy(caller)
      if (this.#looks > 0) this.#lookForProxy(caller)
      return false
    }
    if (reason === PRIVATE && this.#wantsPrivate(policy) === undefined) this.#noticeExempt(caller)
    if (!this.#counts && ++this.#exempted === MANY) this.#noticeAll(policy, reason)
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
    return this.#wantsPrivate(policy) !== false && this.#asksForItself(caller) ? PRIVATE : undefined
  }

  /** Whether the peer is private and no proxy. The headers are looked at only here, for a private peer that is not known yet. */
  #asksForItself(caller: Caller): boolean {
    const peer = caller.privatePeer
    return peer !== undefined && !this.#proxies.get(peer.text) && caller.proxySign === undefined
  }

  // Called when a private peer was not exempt, so an unknown one has just shown that it is a proxy.
  #rememberProxy(caller: Caller): void {
    const peer = caller.privatePeer
    if (peer === undefined || this.#proxies.get(peer.text)) return
    this.#proxies.set(peer.text, true)
    this.#noticeProxy(caller, peer.text)
  }

  #wantsPrivate({ exemptPrivateIps }: CompiledPolicy): boolean | undefined {
    return exemptPrivateIps ?? this.#privateIps
  }

  #noticeExempt(caller: Caller): void {
    this.#warn({
      code: 'HALT_W_PRIVATE_EXEMPT',
      message: `A request from the private address ${caller.address?.text} was not counted.`,
      fix: 'Give exemptPrivateIps: false to count these too (on localhost nothing is limited else), or true to silence this.',
    })
  }

  #noticeAll({ name }: CompiledPolicy, reason: string): void {
    this.#warn({
      code: 'HALT_W_ALL_EXEMPT',
      message: `The first ${MANY} requests were all exempt, so nothing is limited; of the last one "${name}" says: ${reason}.`,
      fix: 'See limiter.explain(request); behind a proxy on a private address give exemptPrivateIps: false, or trustedProxies.',
    })
  }

  #lookForProxy(caller: Caller): void {
    this.#looks--
    const peer = caller.untrustedPeer
    if (peer === undefined) return
    // A public peer that only speaks HTTP/1.0 or sends "via" may be a client.
    const isProxy =
      caller.namesAnother || (caller.privatePeer !== undefined && caller.proxySign !== undefined)
    if (!isProxy) return
    this.#looks = 0
    this.#noticeProxy(caller, peer.text)
  }

  #noticeProxy(caller: Caller, peer: string): void {
    const trust = `trustedProxies: ["${peer}"]`
    const [what, fix] = caller.namesAnother
      ? ['names clients in a header', `${trust}; a client that made the header up gains nothing by it.`]
      : [`${caller.proxySign}, as proxies do`, `make it send X-Forwarded-For, and give ${trust}.`]
    this.#warn({
      code: 'HALT_W_UNTRUSTED_PROXY',
      message: `The peer ${peer} ${what}, but is not trusted: all its clients share one counter.`,
      fix: `If it is your proxy: ${fix}`,
    })
  }
}
