import type { Warn } from '../base/warnings.ts'
import { channels } from './channels.ts'
import { notifier } from './notifier.ts'
import type { Hook, Notify, Telemetry } from '../check/telemetry.ts'

type LineHook = 'onWaiting' | 'onTurn' | 'onLeave'

/** Reports the callers that wait for their turn. Costs a comparison when nobody listens. */
export class LineReporter {
  readonly #notify: Notify
  readonly #hasTelemetry: boolean

  constructor(telemetry: Telemetry | undefined, warn: Warn) {
    this.#notify = notifier(telemetry, warn)
    this.#hasTelemetry = telemetry !== undefined
  }

  /** Calls a hook as soon as the line is at rest, because the hook may join the line or leave it. */
  tell<K extends LineHook>(hook: K, key: string, caller: Parameters<Hook<K>>[1]): void {
    if (!this.#hasTelemetry && !channels.line.hasSubscribers) return
    const notify = this.#notify as (name: LineHook, of: string, who: typeof caller) => void
    void Promise.resolve().then(() => notify(hook, key, caller))
  }
}
