import { setTimeout as sleep } from 'node:timers/promises'

import { Client } from './client.ts'

/** Sends requests to a running app and prints what a client sees; whether all of it was as it should be. */
export async function show(url: string, print: (line: string) => void): Promise<boolean> {
  const client = new Client(url, print)
  // Of this run, so that two runs on one Redis do not count for one another.
  const run = Math.random().toString(36).slice(2, 8)
  const free = { 'X-Demo-User': `ann-${run}` }
  const pro = { 'X-Demo-User': `bob-${run}`, 'X-Demo-Plan': 'pro' }

  client.title('A user on the free plan: 5 requests every 4 seconds')
  for (let i = 0; i < 5; i++) await client.expect(200, 'GET', '/quotes', free)
  const refused = await client.expect(429, 'GET', '/quotes', free)
  await client.body(refused)
  const wait = Number(refused.headers.get('retry-after'))
  client.check('Retry-After is 1 to 4 seconds', wait >= 1 && wait <= 4)
  const due = performance.now() + wait * 1000

  client.title('Another user, on the pro plan, is not held up')
  await client.expect(200, 'GET', '/quotes', pro)

  client.title('A report costs as much as five quotes')
  await client.expect(200, 'GET', '/reports', pro)

  client.title('Passwords: 3 tries, then a pause that hammering does not shorten')
  const guess = (): Promise<Response> => client.expect(401, 'POST', '/auth/login', {}, { password: 'guess' })
  for (let i = 0; i < 3; i++) await guess()
  await client.expect(429, 'POST', '/auth/login', {}, { password: 'correct horse' })

  client.title('The health check is not counted')
  await client.expect(200, 'GET', '/health')

  client.title(`The first user again, after the ${wait} s that Retry-After named`)
  await sleep(Math.max(0, due - performance.now()))
  await client.expect(200, 'GET', '/quotes', free)
  return client.ok
}
