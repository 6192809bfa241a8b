import { Redis } from 'ioredis'
import { afterAll, expect, inject, it } from 'vitest'
import type { Group, Verdict } from '@halt/core/store'
import { randomHistory, readings, ReferenceStore, START, type Charged } from '@halt/core/testing'
import { keyWriter } from '../src/keys.ts'
import { makeDigest } from '@halt/core/store'
import { Call, readReply } from '../src/wire.ts'
import { decide } from '../src/scripts.ts'

const redis = new Redis(inject('redisUrl'))
afterAll(() => redis.quit())
for (const seed of Array.from({ length: 40 }, (_, i) => i + 1))
  it(`agrees ${seed}`, async () => {
    const key = keyWriter(`w${Math.random()}:`, false, makeDigest())
    let now = START
    const reference = new ReferenceStore(() => now / 1000)
    const past: Charged[] = []
    let n = 0
    for (const step of randomHistory(seed, 250)) {
      now += step.advance
      const groups = step.groups(past)
      if (groups.length === 0) continue
      const expected = groups.map(group => reference.evaluate(group))
      const call = new Call(key)
      for (const group of groups) call.add(group)
      const reply = (await redis.eval(decide.source, call.keys.length, ...call.keys, ...call.args(String(Math.floor((now / 1000) * 1000))))) as unknown[]
      groups.forEach((group, i) => {
        const got = readReply(reply[i + 1], group, Number(reply[0])) as Verdict
        expect(readings(group, got), `step ${n} group ${JSON.stringify(group)} kept ${JSON.stringify(got)} expected ${JSON.stringify(expected[i])}`).toEqual(readings(group, expected[i]!))
        past.push({ group, verdict: expected[i]! })
      })
      if (past.length > 20) past.splice(0, 10)
      n++
    }
  })
