import { vi } from 'vitest'

import { QuotaManager, type QuotaManagerOptions } from '../../src/index.ts'
import { world, type World } from '../world.ts'

/** A manager in a world of its own, whose calendar moves with its clock. */
export function managing(
  options?: QuotaManagerOptions,
): World & { quotas: QuotaManager; pass: (by: number) => void } {
  const here = world()
  const pass = (by: number): void => {
    here.clock.advance(by)
    vi.setSystemTime(here.clock.now())
  }
  return { ...here, quotas: new QuotaManager(here.store, options), pass }
}
