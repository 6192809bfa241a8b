import type { Decision } from '@halt/core'
import {
  type AbortSignalLike,
  departureOf,
  type HeaderPort,
  isTighter,
  type NodeResponse,
  type Outcome,
  tellHeaders,
} from '@halt/core/http'

/** The parts of a response that Halt uses. Express and Node share the names, Fastify has others. */
interface PlatformResponse extends NodeResponse {
  once(event: 'finish' | 'close' | 'pipe', listener: () => void): unknown
  readonly statusCode: number
  readonly headersSent?: boolean
  getHeader(name: string): number | string | readonly string[] | undefined
  setHeader?(name: string, value: string): unknown
  removeHeader?(name: string): unknown
  status?(code: number): unknown
  send?(answer: unknown): unknown
  /** Fastify. */
  header?(name: string, value: string): unknown
  readonly sent?: boolean
  readonly raw?: PlatformResponse
}

/** Sets the headers of an outcome, unless the response has begun. */
export function showHeaders(response: object, outcome: Outcome): void {
  write(response, platform => tellHeaders(outcome, platform, HEADERS))
}

/** Sets one header, unless the response has begun. */
export function setHeader(response: object, name: string, value: string): void {
  write(response, platform => HEADERS.set(platform, name, value))
}

function write(response: object, set: (platform: PlatformResponse) => void): void {
  const platform = response as PlatformResponse
  if (typeof platform.getHeader !== 'function') return
  // The first read of `headersSent` of an Express response is slower than a whole check. So let Node throw if it is too late.
  if (platform.setHeader === undefined && isSent(platform)) return
  try {
    set(platform)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_HTTP_HEADERS_SENT') throw error
  }
}

const HEADERS: HeaderPort<PlatformResponse> = {
  get: (response, name) => response.getHeader(name)?.toString(),
  set(response, name, value) {
    if (response.setHeader === undefined) response.header?.(name, value)
    else response.setHeader(name, value)
  },
  remove: (response, name) => void response.removeHeader?.(name),
}

/** True if it is too late to answer. */
function isSent(response: object): boolean {
  const { headersSent, sent, raw } = response as PlatformResponse
  return headersSent ?? (sent === true || raw?.headersSent === true)
}

/** True if nothing more can be sent: the answer was sent, or the client has left. */
export function isOver(response: object): boolean {
  const platform = response as PlatformResponse
  const raw = platform.raw ?? platform
  return isSent(response) || raw.closed === true || raw.destroyed === true
}

const ANSWERED = Symbol.for('halt.nest.answered')

/**
 * Watches a response, and gives a function that says whether it has an answer. An answer counts from the call of `send`,
 * because a hook of Fastify or a stream may delay its first byte for longer than a callback may take.
 */
export function watchAnswer(response: object): () => boolean {
  const platform = response as PlatformResponse & { [ANSWERED]?: boolean }
  // Wrap it once, because GraphQL fields share a response.
  if (platform[ANSWERED] === undefined) {
    const note = (): void => void (platform[ANSWERED] = true)
    const send = platform.send?.bind(platform)
    platform[ANSWERED] = false
    if (send !== undefined)
      platform.send = answer => {
        const given = send(answer)
        // After the call, because a call that threw has not answered.
        note()
        return given
      }
    ;(platform.raw ?? platform).once?.('pipe', note)
  }
  return () => platform[ANSWERED] === true || isSent(platform)
}

/** Sets the default status of an answer. */
export function setStatus(response: object, status: number): void {
  if (!isSent(response)) (response as PlatformResponse).status?.(status)
}

/** Sends an answer as the platform does. */
export function send(response: object, answer: unknown): void {
  ;(response as PlatformResponse).send?.(answer)
}

/** The response of Node behind the response of the platform. */
export function rawOf(response: object): NodeResponse {
  const platform = response as PlatformResponse
  return platform.raw ?? platform
}

/** The signal that aborts when a response ends; undefined for a call that has no response of Node. */
export function departureFrom(response: object | undefined): AbortSignalLike | undefined {
  const raw = response && rawOf(response)
  return typeof raw?.once === 'function' ? departureOf(raw) : undefined
}

const SHOWN = Symbol.for('halt.nest.shown')

/** True if a decision is the tightest that a response shows so far. Many GraphQL fields share one response. */
export function isTightest(response: object, decision: Decision): boolean {
  const holder = response as { [SHOWN]?: Decision }
  const before = holder[SHOWN]
  if (before !== undefined && isTighter(before, decision)) return false
  holder[SHOWN] = decision
  return true
}
