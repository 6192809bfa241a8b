import { type Duration, HaltError, type Warn } from '@halt/core'
import { checkNames, describe, namesOf, parseDuration } from '@halt/core/http'
import { Webhook } from 'standardwebhooks'

/** Options of {@link WebhookTelemetry}. */
export interface WebhookTelemetryOptions {
  /** Where the events are posted: `https:`, or `http:` inside your own network. Without a name and a password: give those by `headers`. */
  readonly url: string
  /** The secret that signs the events: `whsec_` and 24 to 64 bytes in base64. The receiver has the same. */
  readonly secret: string
  /** How long the receiver may take for an answer, at most 10 minutes. Default 5 s. */
  readonly timeout?: Duration | undefined
  /** How often an event is sent at most, until the receiver takes it. Default 8, which takes about two minutes. */
  readonly attempts?: number | undefined
  /** How many events may wait to be sent. Later ones are dropped. Default 1 000. */
  readonly queue?: number | undefined
  /** Headers of your own, such as an authorization, or another `content-type`. Not those that the sender of a request sets. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Receives each warning once. Default `process.emitWarning`. */
  readonly warn?: Warn | undefined
}

/** Checked options, with defaults. */
export interface CheckedOptions {
  readonly url: string
  readonly signer: Webhook
  readonly timeoutMs: number
  readonly attempts: number
  readonly queue: number
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

const OPTIONS = namesOf<WebhookTelemetryOptions>({
  url: true,
  secret: true,
  timeout: true,
  attempts: true,
  queue: true,
  headers: true,
  warn: true,
})
/** Longer times would be cut short by timers, and hold up `close()`. */
const LONGEST_TIMEOUT_MS = 600_000
/** A runtime that is given one of them fails to send, or sends another request. */
const SET_BY_SENDER =
  /^(?:content-length|transfer-encoding|expect|host|connection|keep-alive|upgrade|te|trailer|proxy-connection|webhook-(?:id|timestamp|signature))$/
const SECRET = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/

/**
 * Checks the options and adds defaults.
 *
 * @throws HaltError `HALT_E_OPTION`, `HALT_E_DURATION`, `HALT_E_SECRET`, `HALT_E_UNKNOWN_FIELD`
 */
export function checkOptions(options: WebhookTelemetryOptions): CheckedOptions {
  checkNames(options as unknown as Readonly<Record<string, unknown>>, OPTIONS, 'WebhookTelemetry')
  const { url, secret, timeout = '5s', attempts = 8, queue = 1_000, headers = {} } = options
  const timeoutMs = parseDuration(timeout, 'timeout') / 1000
  if (timeoutMs > LONGEST_TIMEOUT_MS)
    throw wrong(`timeout is ${describe(timeout)}.`, 'Give at most 10 minutes, such as "5s".')
  checkUrl(url)
  if (typeof secret !== 'string' || !SECRET.test(secret))
    throw new HaltError(
      'HALT_E_SECRET',
      'The secret of the webhook is not "whsec_" and 24 to 64 bytes in base64.',
      'Make one: `echo "whsec_$(openssl rand -base64 32)"`.',
    )
  checkWhole('attempts', attempts, 20)
  checkWhole('queue', queue, 100_000)
  return { url, signer: new Webhook(secret), timeoutMs, attempts, queue, headers: checkHeaders(headers) }
}

function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  let checked: Record<string, string>
  try {
    checked = Object.fromEntries(new Headers(headers))
  } catch {
    throw wrong('headers holds a name or a value that HTTP does not allow.', 'Give names and texts.')
  }
  const own = Object.keys(checked).find(name => SET_BY_SENDER.test(name))
  if (own === undefined) return checked
  throw wrong(
    `headers holds ${own}, which whoever sends a request sets itself.`,
    `Leave ${own} out of headers.`,
  )
}

function checkWhole(name: string, value: unknown, high: number): void {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= high) return
  throw wrong(`${name} is ${describe(value)}.`, `Give a whole number from 1 to ${high}.`)
}

function checkUrl(url: unknown): void {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  // `fetch` refuses to send to such an address. The message does not repeat it, because it holds the password.
  if (parsed !== undefined && parsed.username + parsed.password !== '')
    throw wrong(
      'url holds a name or a password.',
      'Leave them out of url, and give headers: { authorization: `Basic ${btoa("name:password")}` }.',
    )
  if (parsed !== undefined && /^https?:$/.test(parsed.protocol)) return
  const shown = typeof url === 'string' && url.includes('@') ? 'no address of http: or https:' : describe(url)
  throw wrong(`url is ${shown}.`, 'Give an address such as "https://example.com/halt".')
}

function wrong(message: string, fix: string): HaltError {
  return new HaltError('HALT_E_OPTION', message, fix)
}
