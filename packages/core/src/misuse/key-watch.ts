import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Warn } from '../base/warnings.ts'
import { parseAddress } from '../request/address.ts'
import type { Caller } from '../request/caller.ts'
import { FORWARDING_HEADERS } from '../request/forwarding.ts'
import { readHeader } from '../request/headers.ts'

const SAMPLE = 1000
/** So many clients with one key are no single customer. */
const CROWD = 20
const MOST_POLICIES = 100

interface Sample {
  seen: number
  readonly keys: Set<string>
  readonly addresses: Set<string>
}

/** Looks at the first keys that a user's extractor gives, and warns when they cannot be meant; then looks away. */
export class KeyWatch {
  readonly #warn: Warn
  // By name: a resolver may give a new policy object at each request.
  readonly #samples = new Map<string, Sample | undefined>()

  constructor(warn: Warn) {
    this.#warn = warn
  }

  /** Whether there is nothing more to see of a policy. */
  isDone({ name }: CompiledPolicy): boolean {
    return this.#samples.has(name)
      ? this.#samples.get(name) === undefined
      : this.#samples.size >= MOST_POLICIES
  }

  /** Looks at a key before it is shortened or digested. */
  look(policy: CompiledPolicy, caller: Caller, key: unknown): void {
    if (typeof key !== 'string' && typeof key !== 'number') return
    const text = String(key)
    let sample = this.#samples.get(policy.name)
    if (sample === undefined) {
      sample = { seen: 0, keys: new Set(), addresses: new Set() }
      this.#samples.set(policy.name, sample)
    }
    if (sample.seen === 0) this.#noticeSpoofable(policy, caller, text)
    if (isIpv6(text)) this.#noticeIpv6(policy, text)
    sample.keys.add(text.slice(0, 64))
    sample.addresses.add(caller.address?.text ?? '')
    if (++sample.seen < SAMPLE) return
    this.#guardedStore(policy, sample)
    this.#samples.set(policy.name, undefined)
  }

  #guardedStore({ name }: CompiledPolicy, { keys, addresses }: Sample): void {
    if (keys.size === 1 && addresses.size >= CROWD) {
      this.#warn({
        code: 'HALT_W_KEY_CONSTANT',
        message: `The keyExtractor of "${name}" gave one key for ${SAMPLE} requests of ${addresses.size} addresses: they all share one counter.`,
        fix: 'Return what tells clients apart; where all are to share one counter, say keyStrategy: "shared".',
      })
    }
    if (keys.size > SAMPLE * 0.95 && addresses.size < keys.size / 10) {
      this.#warn({
        code: 'HALT_W_KEY_UNBOUNDED',
        message: `The keyExtractor of "${name}" gave ${keys.size} keys for ${SAMPLE} requests of ${addresses.size} addresses: nearly every request has a counter of its own.`,
        fix: 'Return what stays the same for a client, such as an id: no time, no request id, no whole URL.',
      })
    }
  }

  #noticeIpv6({ name }: CompiledPolicy, key: string): void {
    this.#warn({
      code: 'HALT_W_KEY_IPV6',
      message: `The keyExtractor of "${name}" gave the IPv6 address ${key}: a subscriber has at least 2^64 of them, and each has a counter of its own.`,
      fix: 'Leave keyExtractor out, so that the client address is counted by its network, or return addressKey(ip) of @halt/core.',
    })
  }

  #noticeSpoofable({ name }: CompiledPolicy, { view }: Caller, key: string): void {
    const header = FORWARDING_HEADERS.find(found => readHeader(view.headers, found) === key)
    if (header === undefined) return
    this.#warn({
      code: 'HALT_W_SPOOFABLE_HEADER',
      message: `The keyExtractor of "${name}" returns the header ${header} as it came: whoever sends another one has another counter.`,
      fix: 'Leave keyExtractor out, and name your proxies: trustedProxies: ["10.0.0.0/8"].',
    })
  }
}

// Most keys are told apart from an address by their first colons.
function isIpv6(key: string): boolean {
  const colon = key.indexOf(':')
  return colon >= 0 && key.includes(':', colon + 1) && parseAddress(key)?.version === 6
}
