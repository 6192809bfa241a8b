import { expect, it } from 'vitest'

import { CircuitBreaker } from '../../src/resilience/circuit-breaker.ts'

it('a breaker starts another probe 30 seconds after one that never ends, as on Workers', async () => {
  let now = 0
  let probes = 0
  const probe = (): Promise<void> => (++probes === 1 ? new Promise(() => {}) : Promise.resolve())
  const breaker = new CircuitBreaker(
    probe,
    async () => {},
    () => {},
    () => now,
  )
  for (let i = 0; i < 3; i++) breaker.failed()
  now = 900
  expect([breaker.isOpen(), probes]).toEqual([true, 1])
  now = 30_899
  expect([breaker.isOpen(), probes]).toEqual([true, 1])
  now = 30_900
  await breaker.isOpen()
  expect([breaker.isOpen(), probes]).toEqual([false, 2])
})

it('a breaker reports each probe that fails, and each recovery that does, until the store is back', async () => {
  let now = 0
  let fault = 'probe'
  const reported: unknown[] = []
  const failIf = (what: string) => (): Promise<void> => {
    return fault === what ? Promise.reject(new Error(what)) : Promise.resolve()
  }
  const breaker = new CircuitBreaker(
    failIf('probe'),
    failIf('recovery'),
    error => reported.push((error as Error).message),
    () => now,
  )
  for (let i = 0; i < 3; i++) breaker.failed()
  for (fault of ['probe', 'probe', 'recovery', 'none']) {
    now += 5_000
    await breaker.isOpen()
  }
  expect([reported, breaker.isOpen()]).toEqual([['probe', 'probe', 'recovery'], false])
})
