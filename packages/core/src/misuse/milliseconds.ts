import type { Warn } from '../base/warnings.ts'

/** The least number of seconds that is taken for milliseconds, by the name of the field. */
const SUSPICIOUS = { window: 10_000, blockDuration: 10_000, ttl: 10_000, duration: 10_000, cooldown: 10_000 }
const TIMEOUTS = { storeTimeout: 10, callbackTimeout: 100 }

/** Warns of a policy's or a penalty's duration that is a number of seconds, and looks like one of milliseconds. */
export function noticeMilliseconds(whose: string, fields: object, warn: Warn): void {
  notice(whose, fields, SUSPICIOUS, 1000, warn)
}

/** As {@link noticeMilliseconds} for the patience of a limiter. */
export function noticeTimeouts(options: object, warn: Warn): void {
  notice('the limiter', options, TIMEOUTS, 10, warn)
}

function notice(
  whose: string,
  fields: object,
  least: Readonly<Record<string, number>>,
  step: number,
  warn: Warn,
): void {
  for (const [name, from] of Object.entries(least)) {
    const value = (fields as Record<string, unknown>)[name]
    if (typeof value !== 'number' || value < from || value % step !== 0) continue
    warn({
      code: 'HALT_W_WINDOW_MS',
      message: `${name} of ${whose} is ${value} seconds, which looks like milliseconds.`,
      fix: `If it is, give "${value}ms"; if not, the text "${value}s" says so.`,
    })
  }
}
