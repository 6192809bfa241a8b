import { publishers } from './channels.ts'
import { messageOf } from '../base/errors.ts'
import type { Warn } from '../base/warnings.ts'
import type { Hook, Notify, Telemetry } from '../check/telemetry.ts'
import { isPromise } from '../base/promises.ts'

/** Any hook of a telemetry. */
export type Listener = (this: Telemetry, ...args: unknown[]) => unknown
type Publisher = ((a: unknown, b: unknown, c: unknown) => void) | undefined

/** Makes the function that calls a telemetry's hooks and publishes to the channels. Errors of hooks become warnings. */
export function notifier(telemetry: Telemetry | undefined, warn: Warn): Notify {
  const warnOfFailure = failureWarner(warn)
  return (hook: keyof Telemetry, a?: unknown, b?: unknown, c?: unknown): void => {
    try {
      ;(publishers[hook as keyof typeof publishers] as Publisher)?.(a, b, c)
      const listener = telemetry?.[hook] as Listener | undefined
      if (telemetry === undefined || listener === undefined) return
      watchPromise(hook, call(listener, telemetry, a, b, c), warnOfFailure)
    } catch (error) {
      warnOfFailure(hook, error)
    }
  }
}

/**
 * As {@link notifier} for every decision that is not exempt: `onCheck`, then `onAllowed` or `onBlocked`. Written out, because it
 * runs in every check.
 */
export function decisionNotifier(telemetry: Telemetry | undefined, warn: Warn): Hook<'onCheck'> {
  const warnOfFailure = failureWarner(warn)
  return (key, decision, metadata): void => {
    try {
      publishers.onCheck(key, decision, metadata)
      if (telemetry?.onCheck !== undefined)
        watchPromise('onCheck', telemetry.onCheck(key, decision, metadata), warnOfFailure)
    } catch (error) {
      warnOfFailure('onCheck', error)
    }
    if (telemetry === undefined) return
    try {
      if (!decision.allowed)
        watchPromise('onBlocked', telemetry.onBlocked?.(key, decision, metadata), warnOfFailure)
      else if (telemetry.onAllowed !== undefined)
        watchPromise('onAllowed', telemetry.onAllowed(key, decision, metadata), warnOfFailure)
    } catch (error) {
      warnOfFailure(decision.allowed ? 'onAllowed' : 'onBlocked', error)
    }
  }
}

type WarnOfFailure = (hook: string, error: unknown) => void

function failureWarner(warn: Warn): WarnOfFailure {
  return (hook, error) =>
    warn({
      code: 'HALT_W_TELEMETRY',
      message: `The telemetry hook ${hook} failed: ${messageOf(error)}.`,
      fix: 'Catch errors inside the hook.',
    })
}

function watchPromise(hook: string, result: unknown, warnOfFailure: WarnOfFailure): void {
  if (isPromise(result)) result.then(undefined, (error: unknown) => warnOfFailure(hook, error))
}

/** Calls a hook with as many arguments as are defined. The last argument of a hook is never undefined. */
export function call(listener: Listener, telemetry: Telemetry, a: unknown, b: unknown, c: unknown): unknown {
  // perf: bench "limiter.check(request)"; written out, because collecting and spreading the arguments took a tenth of a
  // whole check.
  if (c !== undefined) return listener.call(telemetry, a, b, c)
  return b === undefined ? listener.call(telemetry, a) : listener.call(telemetry, a, b)
}
