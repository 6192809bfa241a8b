import { expect, it } from 'vitest'

import { CircuitBreaker } from '../../src/resilience/circuit-breaker.ts'

it('a breaker starts another probe 30 seconds after one that never ends, as on Workers', async () => {
  let now = 0
  let probes = 0
  const probe = (): Promise<void> => (++probes === 1 ? new Promise(() => {}) : Promise.resolve())
  const breaker = new CircuitBreaker(
    probe,
    async () => {},
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
