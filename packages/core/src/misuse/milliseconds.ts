import type { Warn } from '../base/warnings.ts'

/** By field: from how many seconds on a number was probably meant as milliseconds. */
const DURATIONS = { window: 10_000, blockDuration: 10_000, ttl: 10_000, duration: 10_000, cooldown: 10_000 }
const TIMEOUTS = { storeTimeout: 10, callbackTimeout: 100 }

/** Warns of a duration of a policy or a penalty that is given in seconds and looks like milliseconds. */
export function noticeMilliseconds(whose: string, fields: object, warn: Warn): void {
  notice(whose, fields, DURATIONS, 1000, warn)
}

/** As {@link noticeMilliseconds} for the timeouts of a limiter. */
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
      fix: `For milliseconds give "${value}ms". For seconds give "${value}s", which silences this.`,
    })
  }
}
