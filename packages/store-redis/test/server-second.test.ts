import { expect, it } from 'vitest'

import { ServerSecond } from '../src/server-time.ts'

it('a server second is unknown before the first reply, and then follows the clock of the server', () => {
  const second = new ServerSecond()
  expect(second.at(5_000)).toBe('')
  // The server shows 1700000000.25 s when this process shows 5 s.
  second.observe(1_700_000_000_250_000, 5_000)
  expect(second.at(5_000)).toBe('1700000000')
  expect(second.at(5_749)).toBe('1700000000')
  expect(second.at(5_750)).toBe('1700000001')
  expect(second.at(9_000)).toBe('1700000004')
})

it('a server second follows a clock that was set', () => {
  const second = new ServerSecond()
  second.observe(1_700_000_000_250_000, 5_000)
  expect(second.at(5_100)).toBe('1700000000')
  second.observe(1_600_000_000_999_000, 5_200)
  expect(second.at(5_200)).toBe('1600000000')
  expect(second.at(5_201)).toBe('1600000001')
})
