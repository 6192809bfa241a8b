import { type Digest, makeDigest, hashText } from '../base/digest.ts'
import { type Duration, parseDuration } from '../base/duration.ts'
import { messageOf } from '../base/errors.ts'
import { afterQuietly } from '../base/event-loop.ts'
import { checkMethods, checkNames, namesOf } from '../base/options-check.ts'
import { isStrayPromise } from '../base/promises.ts'
import { fromCaller } from '../base/warnings.ts'
import type { Hook, Telemetry } from '../check/telemetry.ts'
import { LabelSet } from './labels.ts'

/** The sum of one policy's refusals for one reason, in one period. */
interface RefusalSum {
  readonly policy: string
  readonly reason: string
  /** How many requests were refused. */
  count: number
  /** The hashes of the keys that were refused, up to 1 000 distinct ones. */
  readonly keys: Set<number>
}

const MAX_KEYS = 1_000

/** Sums up refusals by policy and reason, and reports the sums at the end of each period that has any. Bounded. */
class RefusalSums {
  readonly #everyMs: number
  readonly #report: (sum: RefusalSum) => void
  readonly #names = new LabelSet()
  #sums = new Map<string, RefusalSum>()

  /**
   * @param everyMs the length of a period, in milliseconds. A period begins with a refusal and does not keep the process
   * alive.
   */
  constructor(everyMs: number, report: (sum: RefusalSum) => void) {
    this.#everyMs = everyMs
    this.#report = report
  }

  /** Adds a refusal. */
  add(name: string, reason: string, key: string): void {
    if (this.#sums.size === 0) afterQuietly(this.#everyMs, () => this.#end())
    const policy = this.#names.of(name)
    const id = `${policy} ${reason}`
    let sum = this.#sums.get(id)
    if (sum === undefined) this.#sums.set(id, (sum = { policy, reason, count: 0, keys: new Set() }))
    sum.count++
    if (sum.keys.size < MAX_KEYS) sum.keys.add(hashText(key))
  }

  #end(): void {
    const sums = this.#sums
    this.#sums = new Map()
    for (const sum of sums.values()) {
      try {
        isStrayPromise(this.#report(sum))
      } catch {
        // A logger that fails must not end the process.
      }
    }
  }
}

/** A logger, such as pino or the console. */
export interface Logger {
  debug(...args: unknown[]): void
  info(...args: unknown[]): void
  warn(...args: unknown[]): void
  error(...args: unknown[]): void
}

/** Options of {@link LoggingTelemetry}. */
export interface LoggingOptions {
  /** Turns the digests of keys into HMACs. */
  readonly secret?: string | undefined
  /** Sums up refusals: one line per policy and reason, at most once per this time. Default: one line per refusal. */
  readonly every?: Duration | undefined
}

/**
 * Logs the decisions of a limiter. Keys are logged as digests, because they are personal data.
 *
 * - debug: checks, exempt requests, checks of quotas, callers that wait, and their turns
 * - info: allowed requests, thresholds of quotas, violations, callers that leave the line, the end of an outage
 * - warn: refusals, quotas that are used up, penalties
 * - error: failures of the store
 *
 * @example
 * new RateLimiter({ store, policy, telemetry: new LoggingTelemetry(pino()) })
 */
export class LoggingTelemetry implements Telemetry {
  readonly #logger: Logger
  readonly #digest: Digest
  readonly #sums: RefusalSums | undefined

  /** @throws HaltError `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`, `HALT_E_SECRET`, `HALT_E_DURATION` */
  constructor(logger: Logger, options: LoggingOptions = {}) {
    const { digest, overMs } = fromCaller(LoggingTelemetry, () => partsOf(logger, options))
    this.#logger = logger
    this.#digest = digest
    if (overMs === undefined) return
    this.#sums = new RefusalSums(overMs, ({ keys, ...sum }) =>
      this.#logger.warn({ ...sum, keys: keys.size, overMs }, 'halt: blocked'),
    )
  }

  onCheck: Hook<'onCheck'> = (key, _decision, metadata) =>
    this.#log('debug', 'halt: check', key, { ...metadata })

  onAllowed: Hook<'onAllowed'> = (key, { remaining, limit }, { policy }) =>
    this.#log('info', 'halt: allowed', key, { policy, remaining, limit })

  onBlocked: Hook<'onBlocked'> = (key, { reason, retryAfter }, { policy, endpoint, cost, degraded }) => {
    if (this.#sums !== undefined) return this.#sums.add(policy, reason, key)
    return this.#log('warn', 'halt: blocked', key, { policy, reason, retryAfter, endpoint, cost, degraded })
  }

  onExempt: Hook<'onExempt'> = (key, _decision, { policy, endpoint }) =>
    this.#log('debug', 'halt: exempt', key, { policy, endpoint })

  onWaiting: Hook<'onWaiting'> = (key, caller) => this.#log('debug', 'halt: waiting', key, { ...caller })

  onTurn: Hook<'onTurn'> = (key, caller) => this.#log('debug', 'halt: turn', key, { ...caller })

  onLeave: Hook<'onLeave'> = (key, caller) => this.#log('info', 'halt: left the line', key, { ...caller })

  onQuotaCheck: Hook<'onQuotaCheck'> = (key, quota, allowed) =>
    this.#log('debug', 'halt: quota check', key, { ...quota, allowed })

  onQuotaExceeded: Hook<'onQuotaExceeded'> = (key, quota) =>
    this.#log('warn', 'halt: quota exceeded', key, { ...quota })

  onQuotaThreshold: Hook<'onQuotaThreshold'> = (key, quota, threshold) =>
    this.#log('info', 'halt: quota threshold', key, { ...quota, threshold })

  onViolation: Hook<'onViolation'> = (key, penalty, severity) =>
    this.#log('info', 'halt: violation', key, { ...penalty, severity })

  onPenaltyApplied: Hook<'onPenaltyApplied'> = (key, penalty) =>
    this.#log('warn', 'halt: penalty', key, { ...penalty })

  onStoreError: Hook<'onStoreError'> = (error, detail) =>
    this.#logger.error({ ...detail, error: messageOf(error) }, 'halt: store error')

  onStoreRecovered: Hook<'onStoreRecovered'> = recovery =>
    this.#logger.info({ ...recovery }, 'halt: store recovered')

  // Fields first and then the message, because pino requires this order and the console accepts it.
  #log(
    level: 'debug' | 'info' | 'warn',
    message: string,
    key: string,
    fields: Record<string, unknown>,
  ): void {
    return this.#logger[level]({ key: this.#digest(key), ...fields }, message)
  }
}

function partsOf(logger: Logger, options: LoggingOptions): { digest: Digest; overMs: number | undefined } {
  checkMethods(logger, ['debug', 'info', 'warn', 'error'], 'LoggingTelemetry')
  checkNames(
    options as Record<string, unknown>,
    namesOf<LoggingOptions>({ secret: true, every: true }),
    'LoggingTelemetry',
  )
  const { secret, every } = options
  return {
    digest: makeDigest(secret),
    overMs: every === undefined ? undefined : parseDuration(every, 'every') / 1000,
  }
}
