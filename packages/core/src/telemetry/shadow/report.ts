import type { Reason } from '../../check/verdict-reader.ts'
import type { HeavyKey } from '../heavy-keys.ts'

// Control characters, line breaks, marks of text direction, lone surrogates, and characters special to HTML or shells.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}<>&"'`\\]/gu

/**
 * Escapes a text that a client chose, so that it cannot break out of a log line or a page. Unsafe characters become their code
 * point, such as `\u{a}`.
 */
export function logSafe(text: string): string {
  return text.replace(UNSAFE, found => `\\u{${(found.codePointAt(0) as number).toString(16)}}`)
}

/** The findings about one shadow policy. */
export interface ShadowFinding {
  readonly policy: string
  /** Requests that it checked in shadow mode. */
  readonly requests: number
  /** Requests that it would have refused. */
  readonly wouldBlock: number
  /** How many of these an enforced policy refused anyway. Enforcing the shadow policy would refuse the others. */
  readonly alsoBlocked: number
  /** `wouldBlock / requests`, 0 to 1. */
  readonly share: number
  /** The estimated number of keys: almost exact up to some hundreds, then within a few per cent. */
  readonly keys: number
  /** The estimated number of keys that it would have refused at least once. */
  readonly blockedKeys: number
  /** `blockedKeys / keys`, 0 to 1. */
  readonly keyShare: number
  /** The number of would-be refusals by reason. */
  readonly reasons: Readonly<Partial<Record<Reason, number>>>
  /** The keys that it would have refused most often, as decisions show them. They are personal data. */
  readonly top: readonly HeavyKey[]
}

/** The findings about the shadow policies of this process. Plain data. */
export interface ShadowReport {
  /** Unix seconds. */
  readonly since: number
  /** Unix seconds. */
  readonly until: number
  /** The policy with the most would-be refusals comes first. */
  readonly policies: readonly ShadowFinding[]
}

/** Writes a report of shadow policies as text for people. */
export function describeReport({ since, until, policies }: ShadowReport): string {
  const title = `Shadow policies of this process, ${dateOf(since)} to ${dateOf(until)}`
  if (policies.length === 0) return `${title}: no shadow policy checked a request.`
  return [title, ...policies.map(describeFinding)].join('\n\n')
}

function describeFinding(found: ShadowFinding): string {
  const { policy, requests, wouldBlock, alsoBlocked, share, keys, blockedKeys, keyShare, top } = found
  const lines = [
    `${logSafe(policy)} would refuse ${wouldBlock} of ${requests} requests (${percent(share)}),` +
      ` ${blockedKeys} of ${keys} keys (${percent(keyShare)})`,
  ]
  if (wouldBlock === 0) return lines.join('\n')
  lines.push(`  ${wouldBlock - alsoBlocked} allowed today, ${alsoBlocked} refused anyway by another policy`)
  const reasons = Object.entries(found.reasons).map(([reason, count]) => `${reason} ${count}`)
  lines.push(`  why: ${reasons.join(', ')}`)
  const width = Math.max(...top.map(({ count }) => String(count).length))
  return [...lines, ...top.map(heavy => `  ${describeKey(heavy, width)}`)].join('\n')
}

function describeKey({ key, count, error }: HeavyKey, width: number): string {
  const doubt = error > 0 ? ` (at least ${count - error})` : ''
  return `${String(count).padStart(width)} × ${logSafe(key)}${doubt}`
}

function dateOf(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
