import { setTimeout as sleep } from 'node:timers/promises'

import { Client } from './client.ts'
import type { Listening } from './listen.ts'
import { call, say } from './other-clients.ts'

/** Sends requests to a running app and prints what a client sees; whether all of it was as it should be. */
export async function show({ url, servicePort }: Listening, print: (line: string) => void): Promise<boolean> {
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

  client.title('Another user, on the pro plan, is not held up; a report costs as much as five quotes')
  await client.expect(200, 'GET', '/quotes', pro)
  await client.expect(200, 'GET', '/reports', pro)

  client.title('Passwords: 3 tries, then a pause that hammering does not shorten')
  const guess = (): Promise<Response> => client.expect(401, 'POST', '/auth/login', {}, { password: 'guess' })
  for (let i = 0; i < 3; i++) await guess()
  await client.expect(429, 'POST', '/auth/login', {}, { password: 'correct horse' })

  client.title('The health check is not counted')
  await client.expect(200, 'GET', '/health')

  client.title('GraphQL: every field is charged, eight in one request too')
  const query = `{ ${['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(name => `${name}: quote`).join(' ')} }`
  const user = { 'X-Demo-User': `cat-${run}` }
  const answer = await client.expect(200, 'POST', '/graphql', user, { query })
  const { errors = [] } = (await answer.json()) as { errors?: { extensions: { code: string } }[] }
  print(`  fields refused: ${errors.length}, each with the code ${errors[0]?.extensions.code}`)
  client.check('fields are refused beyond the fifth', errors.length > 0)

  print('\nA WebSocket: 3 messages in 10 seconds, whatever the number of sockets')
  const said = await say(`${url.replace('http', 'ws')}/chat`, 5)
  for (const line of said) print(`  ${line}`)
  client.check('two messages are refused', said.filter(line => line.includes('rate_limit')).length === 2)

  print('\nA message of another service: 2 in 10 seconds')
  const rendered = await call(servicePort, 'render', 3)
  for (const line of rendered) print(`  ${line}`)
  client.check('the third is refused', rendered.at(-1)?.includes('rate_limit') === true)

  client.title(`The first user again, after the ${wait} s that Retry-After named`)
  await sleep(Math.max(0, due - performance.now()))
  await client.expect(200, 'GET', '/quotes', free)
  return client.ok
}
