// Leases, while an operator acts.
import type { Policy } from '@halt/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { HOT, processes, warm } from '../../../core/test/lease/processes.ts'
import { world } from '../../../core/test/world.ts'
import { Control } from '../../src/index.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

it('an operator’s block refuses at once, though the process holds units', async () => {
  const own = processes(1, HOT)
  const control = new Control({ store: own.store, warn: () => undefined })
  const hot = processes(1, { ...HOT, keyStrategy: 'custom', keyExtractor: () => 's' } as Policy, {
    control,
  })
  await warm(hot)
  await control.block({ custom: 's' }, { for: '1h' })
  void hot.use(0, 1)
  await hot.pass(1)
  expect(hot.uses.at(-1)?.allowed).toBe(false)
  control.close()
})

it('a cool-down that an operator sets on a lease is warned of, and changes nothing', async () => {
  const { store, warnings, codes } = world()
  const control = new Control({ store, warn: warning => void warnings.push(warning) })
  const hot = processes(1, HOT, { control })
  await control.change('hot', { limit: 5, blockDuration: '5m' })
  for (let i = 0; i < 250; i++) void hot.use(0, 1)
  await hot.pass(5)
  expect(hot.uses.filter(({ allowed }) => allowed)).toHaveLength(200)
  expect(codes()).toEqual(['HALT_W_CONTROL_NUMBERS'])
  control.close()
})

it('a limit that an operator changes holds at once, though the process holds units', async () => {
  const { store } = world()
  const control = new Control({ store })
  const hot = processes(1, HOT, { control })
  await warm(hot)
  await control.change('hot', { limit: 30 })
  void hot.use(0, 1)
  await hot.pass(1)
  expect(hot.uses.at(-1)?.allowed).toBe(false)
  control.close()
})
