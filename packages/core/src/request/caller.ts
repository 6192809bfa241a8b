import type { Warn } from '../base/errors.ts'
import type { Address } from './address.ts'
import { findApiKey } from './api-key.ts'
import { callAtOnce, readId } from '../base/callbacks.ts'
import type { CallerSettings } from './caller-settings.ts'
import type { ClientAddress } from './client-ip.ts'
import { type KeyStrategy, type FoundKey, namePart, SHARED, type Subject } from './identity.ts'
import { findUser } from './user.ts'
import type { RequestView } from './view.ts'

/**
 * Who makes a request: each fact is found once, when a policy first asks for it.
 *
 * One is made for every request. Without methods of its own that are private: those cost every instance a mark.
 */
export class Caller {
  readonly view: RequestView
  readonly #settings: CallerSettings
  readonly #givenIp: string | undefined
  #client: ClientAddress | undefined
  #isGiven = false
  #user: string | null | undefined
  #apiKey: FoundKey | null | undefined

  constructor(view: RequestView, settings: CallerSettings, ip?: string) {
    this.view = view
    this.#settings = settings
    this.#givenIp = ip
  }

  /** The client's address and what the way to it showed. */
  get client(): ClientAddress {
    if (this.#client !== undefined) return this.#client
    const { view } = this
    const { clientIp } = this.#settings
    const given = this.#givenIp ?? resolvedIp(view, this.#settings)
    this.#isGiven = given !== undefined
    return (this.#client = given === undefined ? clientIp.resolve(view) : clientIp.given(given))
  }

  get address(): Address | undefined {
    return this.client.address
  }

  /** The key of the address. */
  get ip(): FoundKey {
    const { address, key } = this.client
    if (address === undefined) noticeNoAddress(this.#settings.warn)
    return key
  }

  /** Whether the address is what the application says, not what the socket and its headers say. */
  get isGiven(): boolean {
    return this.client !== undefined && this.#isGiven
  }

  /** The socket's peer, unless it is trusted to speak for others or the application gives, or would give, the address. */
  get untrustedPeer(): Address | undefined {
    const { address, trusted } = this.client
    const isApps = this.#givenIp !== undefined || this.#settings.resolveIp !== undefined
    return trusted || isApps ? undefined : address
  }

  /** The peer, as {@link untrustedPeer} has it, where it is private. */
  get privatePeer(): Address | undefined {
    return this.client.isPrivate ? this.untrustedPeer : undefined
  }

  /** What shows that the peer is a proxy; undefined when nothing does. */
  get proxySign(): string | undefined {
    return this.#settings.clientIp.proxySign(this.view)
  }

  /** Whether a header names another client than the peer. */
  get namesAnother(): boolean {
    return this.#settings.clientIp.namesAnother(this.view.headers, this.view.ip)
  }

  /** The authenticated user's id. */
  get user(): string | undefined {
    if (this.#user === undefined) this.#user = findUser(this.view, this.#settings) ?? null
    return this.#user ?? undefined
  }

  /** The API key, as its digest. */
  get apiKey(): FoundKey | undefined {
    if (this.#apiKey === undefined) this.#apiKey = findApiKey(this.view, this.#settings) ?? null
    return this.#apiKey ?? undefined
  }

  /** The key of a strategy; undefined when the request has none. */
  key(strategy: KeyStrategy): FoundKey | undefined {
    if (strategy === 'ip') return this.ip
    if (strategy === 'shared') return EVERYBODY
    if (strategy === 'api-key') return this.apiKey
    const { user } = this
    const named =
      user === undefined ? undefined : found(`user:${namePart(user, this.#settings.digest)}`, 'the user id')
    return strategy === 'user' ? named : composite(named ?? this.apiKey, this)
  }

  /** The subject of what a key extractor gave; undefined when it is no id. */
  custom(value: unknown): FoundKey | undefined {
    const id = readId(value)
    return id === undefined
      ? undefined
      : found(`custom:${namePart(id, this.#settings.digest)}`, 'the key extractor')
  }

  /**
   * The narrowest principal known: whose penalty applies. An API key that nobody has verified only where keys are counted by,
   * and no address is: who invents one would leave what the address has done behind.
   */
  principal(keys: readonly FoundKey[]): Subject {
    const user = this.key('user')
    if (user !== undefined) return user.subject
    const { apiKey } = this
    const isPrincipal =
      apiKey !== undefined &&
      (!apiKey.unverified ||
        (keys.some(isUnverified) && !keys.some(({ subject }) => subject === this.ip.subject)))
    return (isPrincipal ? apiKey : this.ip).subject
  }
}

function isUnverified({ unverified }: FoundKey): boolean {
  return unverified
}

const EVERYBODY: FoundKey = Object.freeze(found(SHARED, 'one counter for everybody'))

function found(subject: Subject, how: string): FoundKey {
  return { subject, how, unverified: false }
}

function composite(key: FoundKey | undefined, { address, ip }: Caller): FoundKey | undefined {
  if (address === undefined) return key
  if (key === undefined) return found(ip.subject, 'the client address alone')
  const how = `${key.how} and the client address`
  return { subject: `${key.subject}+${ip.subject}`, how, unverified: key.unverified }
}

function resolvedIp(
  { request, context }: RequestView,
  { resolveIp, warn }: CallerSettings,
): string | undefined {
  if (resolveIp === undefined) return undefined
  const resolved = callAtOnce(warn, 'clientIp', () => resolveIp(request as never, context))
  return typeof resolved === 'string' ? resolved : undefined
}

function noticeNoAddress(warn: Warn): void {
  warn({
    code: 'HALT_W_NO_ADDRESS',
    message: 'A request has no client address; all such requests share one counter.',
    fix: 'Give clientIp: request => address, or (Hono) getConnInfo, or a keyStrategy that needs no address.',
  })
}
