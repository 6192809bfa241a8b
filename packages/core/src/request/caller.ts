import type { Digest } from '../digest.ts'
import { describe } from '../duration.ts'
import type { Warn } from '../errors.ts'
import type { KeyStrategy } from '../policy.ts'
import { type Address, isPrivate } from './address.ts'
import type { ClientAddress, ClientIp } from './client-ip.ts'
import { credential } from './credential.ts'
import { apiKeySubject, namePart, readId, SHARED, type Subject } from './identity.ts'
import { isStrayPromise } from '../timers.ts'
import { readHeader, type RequestView } from './view.ts'

/** How a limiter finds out who asks. */
export interface CallerSettings {
  readonly clientIp: ClientIp
  readonly resolveIp: ((request: never, context?: unknown) => string | undefined) | undefined
  readonly userId: ((request: never, context?: unknown) => unknown) | undefined
  readonly apiKey: ((request: never, context?: unknown) => unknown) | undefined
  readonly digest: Digest
  readonly warn: Warn
}

/** A key that was found: whose counter, and whether somebody vouches for it. */
export interface FoundKey {
  readonly subject: Subject
  /** In words, for `explain()`. */
  readonly how: string
  /** An API key that nobody verified: anybody may invent another. */
  readonly unverified: boolean
}

/** Who makes a request: each fact is found once, when a policy first asks for it. */
export class Caller {
  readonly view: RequestView
  readonly #settings: CallerSettings
  readonly #givenIp: string | undefined
  #client: ClientAddress | undefined
  #given: ClientAddress | undefined
  #user: string | null | undefined
  #apiKey: FoundKey | null | undefined

  constructor(view: RequestView, settings: CallerSettings, ip?: string) {
    this.view = view
    this.#settings = settings
    this.#givenIp = ip
  }

  /** The client's address and what the way to it showed. */
  get client(): ClientAddress {
    return (this.#client ??= this.#findClient())
  }

  get address(): Address | undefined {
    return this.client.address
  }

  /** The subject of the address. */
  get ip(): Subject {
    const { address, subject } = this.client
    if (address === undefined) this.#noticeNoAddress()
    return subject
  }

  /** Whether the address is what the application says, not what the socket and its headers say. */
  get isGiven(): boolean {
    return this.client === this.#given
  }

  /** Whether the socket's peer is private and speaks for nobody else. */
  get isPrivatePeer(): boolean {
    if (this.#givenIp !== undefined || this.#settings.resolveIp !== undefined) return false
    const { address } = this.client
    return address !== undefined && isPrivate(address) && !this.#isForwarded
  }

  /** The private peer that names a client in a header but is trusted by nobody; undefined when there is none. */
  get untrustedProxy(): string | undefined {
    if (this.#givenIp !== undefined || this.#settings.resolveIp !== undefined) return undefined
    const { address, trusted } = this.client
    return !trusted && address !== undefined && isPrivate(address) && this.#isForwarded
      ? address.text
      : undefined
  }

  /** The authenticated user's id. */
  get user(): string | undefined {
    if (this.#user === undefined) this.#user = this.#findUser() ?? null
    return this.#user ?? undefined
  }

  /** The API key, as its digest. */
  get apiKey(): FoundKey | undefined {
    if (this.#apiKey === undefined) this.#apiKey = this.#findApiKey() ?? null
    return this.#apiKey ?? undefined
  }

  /** The key of a strategy; undefined when the request has none. */
  key(strategy: KeyStrategy): FoundKey | undefined {
    if (strategy === 'ip') return found(this.ip, 'the client address')
    if (strategy === 'shared') return found(SHARED, 'one counter for everybody')
    if (strategy === 'api-key') return this.apiKey
    const { user } = this
    const named =
      user === undefined ? undefined : found(`user:${namePart(user, this.#settings.digest)}`, 'the user id')
    if (strategy === 'user') return named
    return this.#composite(named ?? this.apiKey)
  }

  /** The subject of what a key extractor gave; undefined when it is no id. */
  custom(value: unknown): FoundKey | undefined {
    const id = readId(value)
    return id === undefined
      ? undefined
      : found(`custom:${namePart(id, this.#settings.digest)}`, 'the key extractor')
  }

  /** The narrowest principal known: whose penalty applies. */
  get principal(): Subject {
    return (this.key('user') ?? this.apiKey)?.subject ?? this.ip
  }

  #composite(key: FoundKey | undefined): FoundKey | undefined {
    if (key === undefined)
      return this.address === undefined ? undefined : found(this.ip, 'the client address alone')
    if (this.address === undefined) return key
    return {
      subject: `${key.subject}+${this.ip}`,
      how: `${key.how} and the client address`,
      unverified: key.unverified,
    }
  }

  #findClient(): ClientAddress {
    const { resolveIp, clientIp } = this.#settings
    const { headers, ip, request, context } = this.view
    if (this.#givenIp !== undefined) return (this.#given = clientIp.given(this.#givenIp))
    if (resolveIp !== undefined) {
      const resolved = this.#call('clientIp', () => resolveIp(request as never, context))
      if (typeof resolved === 'string') return (this.#given = clientIp.given(resolved))
    }
    return clientIp.resolve(ip, name => readHeader(headers, name))
  }

  get #isForwarded(): boolean {
    return this.#settings.clientIp.isForwarded(name => readHeader(this.view.headers, name))
  }

  #noticeNoAddress(): void {
    this.#settings.warn({
      code: 'HALT_W_NO_ADDRESS',
      message: 'A request has no client address; all such requests share one counter.',
      fix: 'Give clientIp: request => address, or (Hono) getConnInfo, or a keyStrategy that needs no address.',
    })
  }

  #findUser(): string | undefined {
    const { userId } = this.#settings
    const { request, context } = this.view
    if (userId !== undefined) return this.#idFrom('userId', () => userId(request as never, context))
    // A session's getter may throw, and a request is decided all the same.
    return readId(this.#call('request.user', () => idOf(this.view)))
  }

  #findApiKey(): FoundKey | undefined {
    const { apiKey, digest } = this.#settings
    const { headers, request, context } = this.view
    const verified =
      apiKey === undefined ? undefined : this.#idFrom('apiKey', () => apiKey(request as never, context))
    if (verified !== undefined) return found(apiKeySubject(verified, digest), 'the verified API key')
    // Whoever verifies keys has said that this request has none.
    if (apiKey !== undefined) return undefined
    const header = readId(one(readHeader(headers, 'x-api-key')))
    const key = header ?? credential(one(readHeader(headers, 'authorization')))
    if (key === undefined) return undefined
    const how = header === undefined ? 'the Authorization header, unverified' : 'X-API-Key, unverified'
    return { subject: apiKeySubject(key, digest), how, unverified: true }
  }

  #call(name: string, callback: () => unknown): unknown {
    try {
      const value = callback()
      if (!isStrayPromise(value)) return value
      this.#complain(
        `${name} returned a promise, for which nobody waits.`,
        `Let it answer at once: what takes time belongs before the limiter.`,
      )
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error)
      this.#complain(`${name} threw: ${what}.`, 'Return undefined where a request has none.')
    }
    return undefined
  }

  /** Reads an id that a callback gave; one that is neither text nor number is complained of. */
  #idFrom(name: string, callback: () => unknown): string | undefined {
    const value = this.#call(name, callback)
    const id = readId(value)
    if (id === undefined && value !== undefined && value !== null && typeof value !== 'string')
      this.#complain(
        `${name} gave ${describe(value)}, which is no id.`,
        'Give a text or a number: String(user._id).',
      )
    return id
  }

  #complain(message: string, fix: string): void {
    this.#settings.warn({ code: 'HALT_W_CALLBACK', message, fix })
  }
}

function found(subject: Subject, how: string): FoundKey {
  return { subject, how, unverified: false }
}

function idOf({ user: own, request }: RequestView): string | undefined {
  const { user, userId } = (request ?? {}) as { user?: unknown; userId?: unknown }
  const { id, sub } = (own ?? user ?? {}) as { id?: unknown; sub?: unknown }
  return readId(id) ?? readId(sub) ?? readId(userId)
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}
