import {
  type Address,
  type Caller,
  type FoundKey,
  parseBareAddress,
  type Subject,
  type Tenant,
} from '@halt/core/gate'

/** Tells the time, in Unix milliseconds. */
export interface Clock {
  now(): number
}

/** The ids of a client that an entry may name. Each is found only if some entry names one of its kind. */
export interface ClientIds {
  readonly address: Address | undefined
  /** How many bits of the address are known. Default: all. */
  readonly prefix?: number | undefined
  /** The subject of the address. */
  ip(): Subject
  user(): Subject | undefined
  apiKey(): Subject | undefined
  /** The ids of the application's own choice. */
  customs(): readonly Subject[]
}

const NONE: readonly never[] = Object.freeze([])
const CUSTOM = 'custom:'
const IP = 'ip:'
const AND_IP = '+ip:'

/** The ids in a subject: `user:42+ip:203.0.113.7` has two. Undefined for a subject that is not about a client. */
export function idsOfSubject(subject: Subject): ClientIds | undefined {
  // An id that holds "+ip:" itself is shown as its digest.
  const at = subject.startsWith(IP) ? 0 : subject.indexOf(AND_IP)
  const ip = at < 0 ? '' : subject.slice(subject.indexOf(IP, at))
  const first = at < 0 ? subject : subject.slice(0, at)
  const user = first.startsWith('user:') ? first : undefined
  const apiKey = first.startsWith('api-key:') ? first : undefined
  if (ip === '' && user === undefined && apiKey === undefined) return undefined
  // The key of an IPv6 address names its network: `ip:2001:db8::/56`.
  const [text = '', prefix] = ip.slice(IP.length).split('/')
  return {
    get address(): Address | undefined {
      return text === '' ? undefined : parseBareAddress(text)
    },
    prefix: prefix === undefined ? undefined : Number(prefix),
    ip: () => ip,
    user: () => user,
    apiKey: () => apiKey,
    customs: () => NONE,
  }
}

/** The part of a key that tells whom a policy counts. */
type CountedKey = Pick<FoundKey, 'subject'> & { readonly tenant?: Pick<Tenant, 'subject'> | undefined }

/** The ids of a caller, each found only when an entry may name it. */
export class CallerIds implements ClientIds {
  readonly #caller: Caller
  readonly #keys: readonly (CountedKey | string)[]

  /** @param keys the keys that policies have found for the request. Only they tell the ids of the application's own choice */
  constructor(caller: Caller, keys: readonly (CountedKey | string)[] = NONE) {
    this.#caller = caller
    this.#keys = keys
  }

  get address(): Address | undefined {
    return this.#caller.address
  }

  ip(): Subject {
    return this.#caller.ip.subject
  }

  user(): Subject | undefined {
    return this.#caller.key('user')?.subject
  }

  apiKey(): Subject | undefined {
    return this.#caller.apiKey?.subject
  }

  customs(): readonly Subject[] {
    return this.#keys.flatMap(key => {
      if (typeof key === 'string') return NONE
      // Where tenants share a counter, its subject names no client, and the tenant does.
      const subject = key.tenant?.subject ?? key.subject
      return subject.startsWith(CUSTOM) ? subject : NONE
    })
  }
}
