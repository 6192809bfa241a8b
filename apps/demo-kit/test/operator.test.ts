import { InMemoryStore } from '@halt/store-memory'
import { expect, it } from 'vitest'

import { Operator } from '../src/index.ts'

const TOKEN = 'sixteen-letters-or-more'

async function statuses(
  operator: Operator,
  addresses: readonly string[],
  authorization?: string,
): Promise<number[]> {
  const found: number[] = []
  for (const ip of addresses) {
    const header = (name: string): string | undefined =>
      name === 'authorization' ? authorization : undefined
    const answer = await operator.metrics({ method: 'GET', url: '/metrics', ip, header })
    found.push(answer?.status ?? 0)
  }
  operator.close()
  return found
}

const count = (all: readonly number[], status: number): number => all.filter(each => each === status).length

it('operator access answers 401 to at least a hundred wrong tokens per minute from many addresses, then 429', async () => {
  const operator = new Operator(TOKEN, new InMemoryStore())
  const addresses = Array.from({ length: 300 }, (_, i) => `203.0.${i >> 8}.${i & 255}`)
  const wrong = await statuses(operator, addresses, 'Bearer wrong')
  // Some units come back during the test.
  expect(count(wrong, 401)).toBeGreaterThanOrEqual(100)
  expect(count(wrong, 429)).toBeGreaterThanOrEqual(100)
  expect(count(await statuses(operator, addresses, `Bearer ${TOKEN}`), 200)).toBe(300)
})

it('operator access does not count a request without a token, and answers 401 each time', async () => {
  const operator = new Operator(TOKEN, new InMemoryStore())
  expect(
    count(
      await statuses(
        operator,
        Array.from({ length: 50 }, () => '203.0.113.7'),
      ),
      401,
    ),
  ).toBe(50)
})
