import type { HaltWarning } from '@halt/core'
import type { Store } from '@halt/core/store'
import { onTestFinished, vi } from 'vitest'

import { Control } from '../src/index.ts'

/** The parts of a world that a control needs. */
interface Parts {
  readonly clock: { now(): number }
  readonly store: Store
  readonly warnings: HaltWarning[]
}

/** A control on the store of a world, whose clock becomes that of the process. It is closed after the test. */
export function controlOf({ clock, store, warnings }: Parts): Control {
  vi.setSystemTime(clock.now())
  const control = new Control({ store, warn: warning => void warnings.push(warning) })
  onTestFinished(() => control.close())
  return control
}
