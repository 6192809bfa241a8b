import type { Decision } from '@halt/core'
import { applyHeaders, type Headers } from '@halt/core/http'

/** What Halt needs of a response: Express's and Node's have it themselves, Fastify's under other names. */
interface PlatformResponse {
  readonly statusCode: number
  readonly headersSent?: boolean
  readonly closed?: boolean
  readonly destroyed?: boolean
  getHeader(name: string): number | string | readonly string[] | undefined
  setHeader?(name: string, value: string): unknown
  once(event: 'finish' | 'close', listener: () => void): unknown
  /** Fastify. */
  header?(name: string, value: string): unknown
  readonly sent?: boolean
  readonly raw?: PlatformResponse
}

/** Sets headers, unless they are on their way already. */
export function setHeaders(response: object, headers: Headers): void {
  const target = response as PlatformResponse
  if (isSent(target) || typeof target.getHeader !== 'function') return
  applyHeaders(headers, {
    get: name => target.getHeader(name)?.toString(),
    set: (name, value) =>
      void (target.setHeader === undefined ? target.header?.(name, value) : target.setHeader(name, value)),
  })
}

/** Whether it is too late to answer. */
export function isSent(response: object): boolean {
  const { headersSent, sent, raw } = response as PlatformResponse
  return headersSent ?? (sent === true || raw?.headersSent === true)
}

/** Calls back once when the response is over: with it when it was sent, without when the client left before. */
export function onEnd(response: object, ended: (sent?: PlatformResponse) => void): void {
  const platform = response as PlatformResponse
  const raw = platform.raw ?? platform
  let over = false
  const end = (sent?: PlatformResponse): void => {
    if (over) return
    over = true
    ended(sent)
  }
  // The client may have left while the store was asked; nothing is emitted then any more.
  if (raw.closed === true || raw.destroyed === true) return end()
  raw.once('finish', () => end(platform))
  raw.once('close', () => end())
}

const SHOWN = Symbol.for('halt.nest.shown')

/** Whether a decision is the tightest that a response shows so far: many GraphQL fields share one. */
export function isTightest(response: object, decision: Decision): boolean {
  const holder = response as { [SHOWN]?: Decision }
  const before = holder[SHOWN]
  if (before !== undefined && !outranks(decision, before)) return false
  holder[SHOWN] = decision
  return true
}

function outranks(now: Decision, before: Decision): boolean {
  if (before.reason === 'exempt' || now.reason === 'exempt') return before.reason === 'exempt'
  if (now.allowed !== before.allowed) return before.allowed
  if (!now.allowed) return now.retryAfter > before.retryAfter
  return now.remaining * before.limit < before.remaining * now.limit
}
