import { publishers } from './channels.ts'
import { messageOf } from '../base/errors.ts'
import type { Warn } from '../base/warnings.ts'
import type { Hook, Notify, Telemetry } from './telemetry.ts'
import { isPromise } from '../base/promises.ts'

/** A hook, whichever it is. */
export type Listener = (this: Telemetry, ...args: unknown[]) => unknown
type Publisher = ((a: unknown, b: unknown, c: unknown) => void) | undefined

/** Makes the caller of a telemetry's hooks, and of the channels that tell the same. Nothing they do comes back. */
export function notifier(telemetry: Telemetry | undefined, warn: Warn): Notify {
  const complain = complainer(warn)
  return (hook: keyof Telemetry, a?: unknown, b?: unknown, c?: unknown): void => {
    try {
      ;(publishers[hook as keyof typeof publishers] as Publisher)?.(a, b, c)
      const listener = telemetry?.[hook] as Listener | undefined
      if (telemetry === undefined || listener === undefined) return
      heed(hook, call(listener, telemetry, a, b, c), complain)
    } catch (error) {
      complain(hook, error)
    }
  }
}

/** As {@link notifier}, for what is told of every decision that was not exempt: written out, for it is a check's own cost. */
export function decisionNotifier(telemetry: Telemetry | undefined, warn: Warn): Hook<'onCheck'> {
  const complain = complainer(warn)
  return (key, decision, metadata): void => {
    try {
      publishers.onCheck(key, decision, metadata)
      if (telemetry?.onCheck !== undefined)
        heed('onCheck', telemetry.onCheck(key, decision, metadata), complain)
    } catch (error) {
      complain('onCheck', error)
    }
    if (telemetry === undefined) return
    try {
      if (!decision.allowed) heed('onBlocked', telemetry.onBlocked?.(key, decision, metadata), complain)
      else if (telemetry.onAllowed !== undefined)
        heed('onAllowed', telemetry.onAllowed(key, decision, metadata), complain)
    } catch (error) {
      complain(decision.allowed ? 'onAllowed' : 'onBlocked', error)
    }
  }
}

type Complain = (hook: string, error: unknown) => void

function complainer(warn: Warn): Complain {
  return (hook, error) =>
    warn({
      code: 'HALT_W_TELEMETRY',
      message: `The telemetry hook ${hook} failed: ${messageOf(error)}.`,
      fix: 'Catch errors inside the hook.',
    })
}

function heed(hook: string, result: unknown, complain: Complain): void {
  if (isPromise(result)) result.then(undefined, (error: unknown) => complain(hook, error))
}

/** Calls a hook with as many arguments as there are: no hook's last one is undefined. */
export function call(listener: Listener, telemetry: Telemetry, a: unknown, b: unknown, c: unknown): unknown {
  // Written out: gathering and spreading the arguments took a tenth of a whole check.
  if (c !== undefined) return listener.call(telemetry, a, b, c)
  return b === undefined ? listener.call(telemetry, a) : listener.call(telemetry, a, b)
}
