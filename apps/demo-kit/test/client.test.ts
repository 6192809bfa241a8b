import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, it, onTestFinished } from 'vitest'

import { Client, until } from '../src/client.ts'

it('a reset is told in the unit that fits, rounded down, because the header is rounded up', () => {
  // A bucket that is full in four seconds: the header says the second after.
  const now = 1000.3
  expect(until(Math.ceil(now + 4), now)).toBe('+4 s')
  expect(until(Math.ceil(now + 0.8), now)).toBe('+1 s')
  expect([0, 100, 179, 12_318, 300_000].map(seconds => until(5000 + seconds, 5000))).toEqual([
    '+0 s',
    '+100 s',
    '+179 s',
    '+3 h',
    '+3 d',
  ])
  expect(until(1000, 2000)).toBe('+0 s')
})

it('the columns of a table stay apart, whatever the numbers are', async () => {
  const headers = {
    'RateLimit-Limit': '99999',
    'RateLimit-Remaining': '99999',
    'RateLimit-Reset': String(Math.ceil(Date.now() / 1000) + 12_318),
    'Retry-After': '2635407',
  }
  const server = createServer((_req, res) => void res.writeHead(429, headers).end())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const lines: string[] = []
  const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, line =>
    lines.push(line),
  )
  client.title('A title')
  await client.expect(429, 'GET', '/quotes')
  const [, head = '', row = ''] = lines.join('\n').trim().split('\n')
  expect(row.trim().split(/ {2,}/)).toEqual(['GET /quotes', '429', '99999', '99999', '+3 h', '2635407'])
  expect(row.length).toBe(head.length)
})
