import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'

import { processScript } from '../../../tools/process-script.ts'
import { isFull } from '../../../tools/full.ts'
import { unique } from '../../../tools/unique.ts'
import { ALL, crowd, MAILS, PER_USER, USERS } from './crowd.ts'

// Each asks 640 times.
const PROCESSES = isFull ? 16 : 4

it('processes whose agents ignore refusals run each tool as often as allowed, and refusals drain no counter', async () => {
  const prefix = `${unique()}:`
  const script = await processScript(new URL('crowd-process.ts', import.meta.url))
  onTestFinished(() => script.remove())
  const reports = await Promise.all(
    Array.from({ length: PROCESSES }, () =>
      promisify(execFile)(process.execPath, [script.path, inject('redisUrl'), prefix]),
    ),
  )
  const ran = new Map<string, number>()
  for (const { stdout } of reports)
    for (const [who, times] of Object.entries(JSON.parse(stdout) as Record<string, number>))
      ran.set(who, (ran.get(who) ?? 0) + times)

  const client = new Redis(inject('redisUrl'))
  const { limiter, guard } = crowd(new RedisStore({ client, prefix }))
  onTestFinished(async () => {
    await limiter.close()
    client.disconnect()
  })
  let all = 0
  for (const user of USERS) {
    const mails = ran.get(`${user} send_mail`) ?? 0
    const calls = mails + (ran.get(`${user} search`) ?? 0)
    all += calls
    expect(mails).toBeLessThanOrEqual(MAILS)
    expect(calls).toBeLessThanOrEqual(PER_USER)
    // The counters hold what ran, and nothing else.
    const { verdicts } = await limiter.peek({ user }, { also: guard.limits() })
    const left = Object.fromEntries(verdicts.map(({ policy, remaining }) => [policy, remaining]))
    expect(left).toMatchObject({ tool_send_mail: MAILS - mails, tool_calls: PER_USER - calls })
  }
  // More was asked of each limit than it has. What failed was given back.
  expect(all).toBe(ALL)
  expect(USERS.map(user => ran.get(`${user} send_mail`))).toEqual(USERS.map(() => MAILS))
  expect(
    (await limiter.peek({ user: 'ann' })).verdicts.find(({ policy }) => policy === 'everybody'),
  ).toMatchObject({ remaining: 0 })
})
