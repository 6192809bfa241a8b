import { callAtOnce, readId, callForId, warnOfCallback } from '../base/callbacks.ts'
import { messageOf } from '../base/errors.ts'
import type { Warn } from '../base/warnings.ts'
import type { Address } from './address.ts'
import type { Digest } from '../base/digest.ts'
import type { ClientAddress, ClientIp } from './client-ip.ts'
import type { KeyMaker } from './key-maker.ts'
import { hasDeparted, type RequestView } from './view.ts'
import { readHeader } from './headers.ts'
import { type KeyStrategy, type FoundKey, SHARED, type Subject } from './identity.ts'

/** The settings of a limiter that say how it finds a request's address, user and API key. */
export interface CallerSettings {
  readonly clientIp: ClientIp
  readonly resolveIp: ((request: never, context?: unknown) => string | undefined) | undefined
  readonly userId: ((request: never, context?: unknown) => unknown) | undefined
  readonly apiKey: ((request: never, context?: unknown) => unknown) | undefined
  readonly digest: Digest
  readonly keys: KeyMaker
  readonly warn: Warn
}

/**
 * The client of one request: its address, user and API key. Each is found once, when a policy first needs it.
 *
 * Every request makes a Caller. The class has no private methods, because they make every construction slower.
 * perf: bench "limiter.check(request)", hot key
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

  /** The client's address, and whether the peer is a trusted proxy. */
  get client(): ClientAddress {
    if (this.#client !== undefined) return this.#client
    const given = this.#givenIp ?? ipFromApplication(this.view, this.#settings)
    this.#isGiven = given !== undefined
    return (this.#client = clientAt(given, this.view, this.#settings))
  }

  get address(): Address | undefined {
    return this.client.address
  }

  /** The key of the address. */
  get ip(): FoundKey {
    const { address, key } = this.client
    if (address === undefined && !this.lostAddress) warnOfNoAddress(this.#settings.warn)
    return key
  }

  /**
   * Whether the address is lost because the client closed the connection before anybody read it. Such a request must not share
   * the counter of requests without an address, or a client would get that allowance besides its own.
   */
  get lostAddress(): boolean {
    if (this.client.address !== undefined) return false
    return this.view.departed ?? hasDeparted(this.view.request)
  }

  /** Whether the application gave the address. Otherwise it comes from the socket or a header. */
  get isGiven(): boolean {
    return this.client !== undefined && this.#isGiven
  }

  /** The socket's peer; undefined if it is a trusted proxy, or if the application gives addresses. */
  get untrustedPeer(): Address | undefined {
    const { address, trusted } = this.client
    const isByApplication = this.#givenIp !== undefined || this.#settings.resolveIp !== undefined
    return trusted || isByApplication ? undefined : address
  }

  /** The {@link untrustedPeer}, if its address is private. */
  get privatePeer(): Address | undefined {
    return this.client.isPrivate ? this.untrustedPeer : undefined
  }

  /** The sign that the peer is a proxy, in words; undefined if there is none. */
  get proxySign(): string | undefined {
    return this.#settings.clientIp.proxySign(this.view)
  }

  /** Whether a header names a client other than the peer. */
  get namesAnother(): boolean {
    return this.#settings.clientIp.namesAnother(this.view.headers, this.view.ip)
  }

  /** The authenticated user's id. */
  get user(): string | undefined {
    if (this.#user === undefined) this.#user = findUser(this.view, this.#settings) ?? null
    return this.#user ?? undefined
  }

  /** The API key. The result holds its digest. */
  get apiKey(): FoundKey | undefined {
    if (this.#apiKey === undefined) this.#apiKey = findApiKey(this.view, this.#settings) ?? null
    return this.#apiKey ?? undefined
  }

  /** The key that a strategy counts; undefined if the request has none. */
  key(strategy: KeyStrategy): FoundKey | undefined {
    if (strategy === 'ip') return this.ip
    if (strategy === 'shared') return SHARED_KEY
    if (strategy === 'api-key') return this.apiKey
    const { user } = this
    const named = user === undefined ? undefined : this.#settings.keys.user(user)
    return strategy === 'user' ? named : composite(named ?? this.apiKey, this)
  }

  /** The key that a key extractor returned; undefined if it is not an id. */
  custom(value: unknown): FoundKey | undefined {
    const id = readId(value)
    return id === undefined ? undefined : this.#settings.keys.custom(id)
  }

  /**
   * The principal, whose penalty applies to the request: the user, else the API key, else the address. An unverified key is the
   * principal only if some policy counts by such a key and none by the address. Otherwise a client could escape the penalty of
   * its address with a new key.
   *
   * @param keys the keys that the request's policies count
   */
  principal(keys: readonly FoundKey[]): Subject {
    const user = this.key('user')
    if (user !== undefined) return user.subject
    const { apiKey } = this
    const isPrincipal =
      apiKey !== undefined &&
      (!apiKey.unverified ||
        (keys.some(({ unverified }) => unverified) &&
          !keys.some(({ subject }) => subject === this.ip.subject)))
    return (isPrincipal ? apiKey : this.ip).subject
  }
}

/** Finds the client's address, as {@link Caller} does, without a caller. */
export function findClient(
  view: RequestView,
  settings: CallerSettings,
  ip: string | undefined,
): ClientAddress {
  return clientAt(ip ?? ipFromApplication(view, settings), view, settings)
}

function clientAt(given: string | undefined, view: RequestView, { clientIp }: CallerSettings): ClientAddress {
  return given === undefined ? clientIp.resolve(view) : clientIp.given(given)
}

const SHARED_KEY: FoundKey = found(SHARED, 'one counter for everybody')

function found(subject: Subject, how: string): FoundKey {
  return { subject, how, unverified: false }
}

function composite(key: FoundKey | undefined, { address, ip }: Caller): FoundKey | undefined {
  if (address === undefined) return key
  if (key === undefined) return found(ip.subject, 'the client address alone')
  const how = `${key.how} and the client address`
  return { subject: `${key.subject}+${ip.subject}`, how, unverified: key.unverified }
}

function ipFromApplication(view: RequestView, { resolveIp, warn }: CallerSettings): string | undefined {
  if (resolveIp === undefined) return undefined
  const resolved = callAtOnce(warn, 'clientIp', () => resolveIp(view.request as never, view.context))
  return typeof resolved === 'string' ? resolved : undefined
}

function warnOfNoAddress(warn: Warn): void {
  warn({
    code: 'HALT_W_NO_ADDRESS',
    message: 'A request has no client address. All such requests share one counter.',
    fix: 'Give clientIp: request => address, or the name of your platform (Fetch), or getConnInfo (Hono), or a keyStrategy that needs no address.',
  })
}

/** The id of a request's authenticated user; undefined if it has none. */
function findUser(view: RequestView, { userId, warn }: CallerSettings): string | undefined {
  if (userId !== undefined)
    return callForId(warn, 'userId', () => userId(view.request as never, view.context))
  try {
    return idOf(view)
  } catch (error) {
    // A session's getter may throw. The request must be decided even then.
    warnOfCallback(
      warn,
      `request.user threw: ${messageOf(error)}.`,
      'Return undefined where a request has no value.',
    )
    return undefined
  }
}

function idOf({ user: own, request }: RequestView): string | undefined {
  const given = (request ?? {}) as { user?: unknown; userId?: unknown }
  const user = (own ?? given.user ?? {}) as { id?: unknown; sub?: unknown }
  return readId(user.id) ?? readId(user.sub) ?? readId(given.userId)
}

/** Finds the API key of a request. The result holds its digest; undefined if the request has no key. */
function findApiKey(
  { headers, request, context }: RequestView,
  { apiKey, keys, warn }: CallerSettings,
): FoundKey | undefined {
  if (apiKey !== undefined) {
    const verified = callForId(warn, 'apiKey', () => apiKey(request as never, context))
    // The application verifies keys, so undefined means that this request has no key.
    return verified === undefined
      ? undefined
      : { subject: keys.apiKey(verified), how: 'the verified API key', unverified: false }
  }
  const header = readId(firstLine(readHeader(headers, 'x-api-key')))
  const key = header ?? keyIn(firstLine(readHeader(headers, 'authorization')))
  if (key === undefined) return undefined
  const how = header === undefined ? 'the Authorization header, unverified' : 'X-API-Key, unverified'
  return { subject: keys.apiKey(key), how, unverified: true }
}

// A scheme without a credential is not a key: nobody has the key "Bearer".
const SCHEMES = /^(?:bearer|token|apikey)(?:[ \t]+(.+))?$/i
const ANY_SCHEME = /^[A-Za-z][A-Za-z0-9+._-]*[ \t]+\S/

/** The API key in an `Authorization` value: the text after Bearer, Token or ApiKey, or the whole text if it has no scheme. */
function keyIn(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  const scheme = SCHEMES.exec(text)
  if (scheme !== null) return readId(scheme[1])
  return ANY_SCHEME.test(text) ? undefined : readId(text)
}

function firstLine(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}
