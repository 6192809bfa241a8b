// Counters that tenants share fairly, while an operator acts.
import type { RatePolicy } from '@halt/core'
import { expect, it, onTestFinished } from 'vitest'

import { type Options, view, world } from '../../../core/test/world.ts'
import { Control } from '../../src/index.ts'

const BACKEND: RatePolicy = {
  name: 'backend',
  limit: 100,
  window: 1,
  burst: 40,
  keyStrategy: 'shared',
  fair: { by: 'user' },
}
const OPTIONS = { exemptPrivateIps: false } satisfies Options

/** A limiter whose tenant `a` has taken all, so that it is not its turn when some units are back. */
async function pressed() {
  const { clock, store, limiter: make } = world()
  const limiter = make(BACKEND, OPTIONS)
  for (let i = 0; i < 40; i++) await limiter.consume({ user: 'a' })
  clock.advance('100ms')
  return { clock, store, limiter, make }
}

it('an operator blocks one tenant, and the others keep their shares', async () => {
  const { store, make } = await pressed()
  const control = new Control({ store, warn: () => {} })
  const limiter = make(BACKEND, { ...OPTIONS, control })
  await control.block({ user: 'b' }, { for: '1h' })
  expect((await limiter.consume({ user: 'b' })).reason).toBe('blocked')
  expect((await limiter.consume({ user: 'a' })).reason).toBe('fair-share')
  expect((await limiter.consume({ user: 'c' })).allowed).toBe(true)
  await limiter.close()
})

it('an operator blocks a tenant that a function names, or lets it pass', async () => {
  const { store, limiter: make } = world()
  const control = new Control({ store, warn: () => {} })
  onTestFinished(() => control.close())
  const fair = { by: (request: { readonly tenant: string }) => request.tenant }
  const limiter = make({ ...BACKEND, fair } as RatePolicy, { ...OPTIONS, control })
  const of = (tenant: string) => view({ request: { tenant } })
  await control.block({ custom: 'acme' }, { for: '1h' })
  expect(await limiter.check(of('acme'))).toMatchObject({ reason: 'blocked', key: 'custom:acme' })
  expect((await limiter.explain(of('acme'))).control?.kind).toBe('block')
  expect((await limiter.check(of('other'))).allowed).toBe(true)
  await control.unblock({ custom: 'acme' })
  await control.allow({ custom: 'acme' }, { for: '1h' })
  expect((await limiter.check(of('acme'))).reason).toBe('exempt')
})

it('fair shares follow numbers that an operator changes, while used units stay used', async () => {
  const { clock, store, limiter: make } = world()
  const control = new Control({ store, warn: () => {} })
  const limiter = make(BACKEND, { ...OPTIONS, control })
  for (let i = 0; i < 40; i++) await limiter.consume({ user: 'a' })
  expect((await limiter.consume({ user: 'b' })).allowed).toBe(false)
  await control.change('backend', { limit: 1000 })
  clock.advance('20ms')
  let taken = 0
  while ((await limiter.consume({ user: 'b' })).allowed) taken++
  // What a has used is paid back at the new rate since the change: 20 units, of which b gets those that a does not want.
  expect(taken).toBeGreaterThan(5)
  expect(taken).toBeLessThanOrEqual(20)
  await limiter.close()
})
