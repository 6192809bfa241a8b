// More units of a quota for a time, as an override that ends by itself.
import { afterEach, expect, it, vi } from 'vitest'

import { rejection, world } from '../../core/test/world.ts'
import { extraUnits, type QuotaNow } from '../src/index.ts'
import { controlOf } from './control-of.ts'

afterEach(() => void vi.useRealTimers())

/** A control, and the state of a quota whose period ends in two hours, and whose day ends in one. */
function scene() {
  const own = world()
  const control = controlOf(own)
  const now = own.clock.now()
  const quota: QuotaNow = {
    name: 'month',
    limit: 40,
    resetAt: now / 1000 + 7_200,
    endOfDay: now + 3_600_000,
  }
  const extra = async (span: string) => extraUnits(quota, 100, span, 'user:42', await control.entries())
  const put = ({ limit, options }: Awaited<ReturnType<typeof extra>>) =>
    control.override({ user: '42' }, 'month', { limit }, options)
  return { control, now, extra, put }
}

it('extra units end after their span, with the day, or with the period at the latest', async () => {
  const { control, now, extra, put } = scene()
  for (const [span, minutes] of [
    ['30m', 30],
    ['today', 60],
    ['3h', 120],
  ] as const) {
    const { until, numbers } = await put(await extra(span))
    expect([span, (until! - now) / 60_000, numbers]).toEqual([span, minutes, { limit: 140 }])
    await control.revert('month', { identity: { user: '42' } })
  }
})

it('extra units do not replace the numbers that another operator gave the client meanwhile', async () => {
  const { control, extra, put } = scene()
  const asked = await extra('today')
  await control.override({ user: '42' }, 'month', { limit: 5_000 }, { by: 'ann' })
  expect(await rejection(put(asked))).toMatchObject({ code: 'HALT_E_CONTROL_REPLACED' })
  expect(await control.entries()).toMatchObject([{ numbers: { limit: 5_000 } }])
  expect(await rejection(extra('today'))).toMatchObject({ code: 'HALT_E_CONTROL' })
})
