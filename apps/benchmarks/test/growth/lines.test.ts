import type { Decision } from '@halt/core'
import { describe, expect, it } from 'vitest'

import { freshAddresses } from '../../src/growth/addresses.ts'
import { curves } from '../../src/growth/curves.ts'
import { lines } from '../../src/growth/lines.ts'

describe('freshAddresses', () => {
  it.each([1, 1000, 12_345])('freshAddresses gives each of %i addresses once in every round', count => {
    const next = freshAddresses(count)
    const [first, second] = [0, 1].map(() => new Set(Array.from({ length: count }, next)))
    expect(first?.size).toBe(count)
    expect(second).toEqual(first)
  })
})

describe('a growth line', () => {
  const names = curves.flatMap(curve => curve.lines.map(({ name }) => [name] as const))

  it.each(names)('the growth line of %s admits every request', async name => {
    const { step, fill, verify } = await lines[name]!(4)
    await fill?.()
    for (let i = 0; i < 10; i++) {
      const answer = await step()
      expect(typeof answer === 'boolean' ? answer : answer.allowed).toBe(true)
    }
    verify?.()
  })

  it('the growth line of policies has a verdict for each of its policies', async () => {
    const { step } = await lines['policies']!(4)
    expect(((await step()) as Decision).verdicts).toHaveLength(4)
  })

  it.each([
    ['hops', 0],
    ['hops', 1],
    ['hops', 16],
    ['trusted networks', 300],
  ])('the growth line of %s counts the client behind %i', async (name, size) => {
    const { step } = await lines[name]!(size)
    expect(((await step()) as Decision).key).toBe('ip:11.22.33.44')
  })

  it('the growth line of live keys fails if not all of its keys are in the store', async () => {
    const { step, verify } = await lines['live keys']!(4)
    await step()
    expect(verify).toThrow('1 keys are stored, not 4')
  })
})
