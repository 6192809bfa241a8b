import type { PolicyVerdict } from '@halt/core'
import { expect, it } from 'vitest'

import { Tallies } from '../../src/live/tallies.ts'

const NOW = 1_800_000_000_000

function verdict(key: string, remaining: number, seconds: number, now = NOW): PolicyVerdict {
  const resetAt = now / 1000 + seconds
  const rest = { policy: 'api', reason: 'ok', limit: 10, retryAfter: 0, mode: 'enforce' } as const
  return { ...rest, key, remaining, resetAt, allowed: remaining > 0 }
}

it('a tally counts the decisions of a policy, and shows its tightest counter', () => {
  const tallies = new Tallies()
  tallies.count(verdict('user:ann', 1, 9), NOW)
  tallies.count(verdict('user:ben', 8, 2), NOW)
  tallies.count(verdict('user:ann', 0, 10), NOW)
  expect(tallies.read(NOW)).toMatchObject([{ key: 'user:ann', remaining: 0, allowed: 2, refused: 1 }])
})

it('a tally shows another counter when the tightest one has recovered', () => {
  const tallies = new Tallies()
  tallies.count(verdict('user:ann', 1, 9), NOW)
  const later = NOW + 8500
  tallies.count(verdict('user:ben', 9, 1, later), later)
  expect(tallies.read(later)[0]?.key).toBe('user:ben')
})

it('a tally follows a counter up and down', () => {
  const tallies = new Tallies()
  tallies.count(verdict('user:ann', 1, 9), NOW)
  tallies.count(verdict('user:ann', 5, 5), NOW + 4000)
  expect(tallies.read(NOW)[0]?.remaining).toBe(5)
})

it('the tallies list the tightest policy first', () => {
  const tallies = new Tallies()
  tallies.count({ ...verdict('ip:1.2.3.4', 9, 1), policy: 'wide' }, NOW)
  tallies.count({ ...verdict('ip:1.2.3.4', 2, 8), policy: 'tight' }, NOW)
  expect(tallies.read(NOW).map(({ policy }) => policy)).toEqual(['tight', 'wide'])
})
