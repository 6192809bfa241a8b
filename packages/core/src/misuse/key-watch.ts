import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { addressKey, parseAddress } from '../request/address.ts'
import type { Caller } from '../request/caller.ts'
import { FORWARDING_HEADERS, readHeader } from '../request/headers.ts'

const SAMPLE = 1000
/** Requests from this many addresses with the same key do not come from one customer. */
const MANY_ADDRESSES = 20
const MAX_POLICIES = 100

// The sample of a policy whose keys need no further observation.
const DONE = Symbol('done')

/** A policy whose keys are observed. */
type Named = Pick<CompiledPolicy, 'name'>

interface Sample {
  seen: number
  readonly keys: Set<string>
  readonly addresses: Set<string>
}

/** Observes the first 1 000 keys that a key extractor returns for a policy, and warns when they are probably a mistake. */
export class KeyWatch {
  readonly #warn: Warn
  // By policy name, because a resolver may return a new policy object for each request.
  readonly #samples = new Map<string, Sample | typeof DONE>()

  constructor(warn: Warn) {
    this.#warn = warn
  }

  /** Whether the policy needs no further observation. */
  isDone({ name }: Named): boolean {
    const sample = this.#samples.get(name)
    return sample === DONE || (sample === undefined && this.#samples.size >= MAX_POLICIES)
  }

  /** Observes a key as the extractor returned it, before it is shortened or digested. */
  observe(policy: Named, caller: Caller, key: unknown): void {
    if (typeof key !== 'string' && typeof key !== 'number') return
    const text = String(key)
    let sample = this.#samples.get(policy.name)
    if (sample === DONE) return
    if (sample === undefined) {
      sample = { seen: 0, keys: new Set(), addresses: new Set() }
      this.#samples.set(policy.name, sample)
    }
    if (sample.seen === 0) this.#noticeSpoofable(policy, caller, text)
    if (isIpv6(text)) this.#noticeIpv6(policy, text)
    this.#noticeProxy(policy, caller, text)
    sample.keys.add(text.slice(0, 64))
    sample.addresses.add(caller.address?.text ?? '')
    if (++sample.seen < SAMPLE) return
    this.#examine(policy, sample)
    this.#samples.set(policy.name, DONE)
  }

  #examine({ name }: Named, { keys, addresses }: Sample): void {
    if (keys.size === 1 && addresses.size >= MANY_ADDRESSES) {
      this.#warn({
        code: 'HALT_W_KEY_CONSTANT',
        message: `The keyExtractor of "${name}" gave one key for ${SAMPLE} requests from ${addresses.size} addresses, so they all share one counter.`,
        fix: 'Return a key that differs between clients. If all should share one counter, use keyStrategy: "shared".',
      })
    }
    if (keys.size > SAMPLE * 0.95 && addresses.size < keys.size / 10) {
      this.#warn({
        code: 'HALT_W_KEY_UNBOUNDED',
        message: `The keyExtractor of "${name}" gave ${keys.size} keys for ${SAMPLE} requests from ${addresses.size} addresses, so nearly every request has a counter of its own.`,
        fix: 'Return a key that stays the same for a client, such as an id, and not a time, a request id or a whole URL.',
      })
    }
  }

  #noticeIpv6({ name }: Named, key: string): void {
    this.#warn({
      code: 'HALT_W_KEY_IPV6',
      message: `The keyExtractor of "${name}" gave the IPv6 address ${key}. A subscriber has at least 2^64 addresses, and each has a counter of its own.`,
      fix: 'Leave keyExtractor out, so that Halt counts by the network of the address, or return addressKey(ip) from @halt/core.',
    })
  }

  // Frameworks give the proxy as the client, such as Express in `req.ip` without "trust proxy".
  #noticeProxy({ name }: Named, { client, view }: Caller, key: string): void {
    const peer = client.trusted ? parseAddress(view.ip ?? '')?.text : undefined
    const address = client.address?.text
    if (peer === undefined || peer === address || !holdsAddress(key, peer) || holdsAddress(key, address))
      return
    this.#warn({
      code: 'HALT_W_KEY_PROXY',
      message: `The keyExtractor of "${name}" returns the address of the trusted proxy ${peer}, and not that of the client. All clients behind the proxy count as one address.`,
      fix: 'Leave keyExtractor out, so that Halt counts the client. For the address and the user take keyStrategy: "composite" with userId: request => ….',
    })
  }

  #noticeSpoofable({ name }: Named, { view }: Caller, key: string): void {
    const header = FORWARDING_HEADERS.find(found => readHeader(view.headers, found) === key)
    if (header === undefined) return
    this.#warn({
      code: 'HALT_W_SPOOFABLE_HEADER',
      message: `The keyExtractor of "${name}" returns the header ${header} unchanged, so a client that sends another value has another counter.`,
      fix: 'Leave keyExtractor out, and name your proxies: trustedProxies: ["10.0.0.0/8"].',
    })
  }
}

// Most keys have fewer than two colons, so they are not parsed as addresses.
function isIpv6(key: string): boolean {
  const colon = key.indexOf(':')
  return colon >= 0 && key.includes(':', colon + 1) && parseAddress(key)?.version === 6
}

// Whether a key is an address, or has one among its parts, as it is or as `addressKey` groups it.
function holdsAddress(key: string, address: string | undefined): boolean {
  return [address, addressKey(address)].some(text => text !== undefined && hasPart(key, text))
}

function hasPart(key: string, part: string): boolean {
  const [before, after] = part.includes(':') ? [/[\da-f:.]$/i, /^[\da-f]/i] : [/[\d.]$/, /^[\d.]/]
  for (let at = key.indexOf(part); at >= 0; at = key.indexOf(part, at + 1))
    if (!before.test(key.slice(0, at)) && !after.test(key.slice(at + part.length))) return true
  return false
}

/** The identity that names the client of a key strategy, as users write it. */
const IDENTITIES: Readonly<Partial<Record<CompiledPolicy['keyStrategy'], string>>> = {
  user: '{ user }',
  'api-key': '{ apiKey }',
  composite: '{ user, ip }',
}

/** Warns of a bare string for a policy that counts requests under a user or an API key: the two counters are different. */
export function noticeBareString(policies: readonly CompiledPolicy[], warn: Warn): void {
  const policy = policies.find(
    one => one.keyExtractor === undefined && IDENTITIES[one.keyStrategy] !== undefined,
  )
  if (policy === undefined) return
  const named = IDENTITIES[policy.keyStrategy]
  // The text may be an API key, so it is not repeated.
  warn({
    code: 'HALT_W_BARE_STRING',
    message: `A call names its client by a bare string, which is { custom } for a limiter. "${policy.name}" counts requests under ${named}, so the call has another counter.`,
    fix: `Write ${named} to share the counter of the requests, or { custom } if you mean a name of your own.`,
  })
}
