import { randomUUID } from 'node:crypto'

import { RateLimiter } from '@halt/core'
import { opened, openStore } from '@halt/demo-kit'
import { Screen } from '@halt/demo-kit/screen'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type ProcessScript, processScript } from '../../../tools/process-script.ts'
import { startRedis } from '../../../tools/servers.ts'
import type { Asker, Told } from '../src/asking.ts'
import { localCrew, processCrew } from '../src/crew.ts'
import { picture, plain } from '../src/picture.ts'
import { jain, Record } from '../src/record.ts'
import { show } from '../src/show.ts'
import { type Ask, BACKEND, LOUD, STORE_TIMEOUT, TENANTS } from '../src/tenants.ts'

let script: ProcessScript
beforeAll(async () => {
  script = await processScript(new URL('../src/ask-process.ts', import.meta.url))
})
afterAll(() => script.remove())

type Tell = (told: Told) => void

/** Runs the show. Returns what it printed. */
async function perform(
  policy: object = BACKEND,
  url?: string,
): Promise<{ readonly ok: boolean; readonly text: string }> {
  let text = ''
  const prefix = `halt:demo:${randomUUID()}:`
  const { store, close } = openStore({ url, prefix })
  await opened(store)
  const limiter = new RateLimiter<Ask>({
    store,
    policy: policy as typeof BACKEND,
    storeTimeout: STORE_TIMEOUT,
  })
  const start = (tell: Tell): Promise<Asker> =>
    url === undefined
      ? localCrew(limiter, tell)
      : processCrew({ url, prefix, processes: 2, script: script.path }, tell)
  const screen = new Screen({ write: (more: string) => void (text += more) })
  const ok = await show({ screen, limiter, start, together: 1500, alone: 1500 })
  await limiter.close()
  await close()
  return { ok, text }
}

/** Runs the show, and once more if the machine stood still, because then it does not judge the shares. */
async function performJudged(policy: object, url?: string): ReturnType<typeof perform> {
  const first = await perform(policy, url)
  return isJudged(first) ? first : perform(policy, url)
}
const isJudged = ({ text }: { readonly text: string }): boolean => !text.includes('· the machine stood still')

describe('the show', () => {
  it('the show gives the tenants their shares, and the loud one everything when it is alone', async ({
    skip,
  }) => {
    const server = await startRedis()
    try {
      const { ok, text } = await performJudged(BACKEND, server.url)
      expect(ok, text).toBe(true)
      expect(text.match(/^loud {7}asks/gm)).toHaveLength(2)
      expect(text).toMatch(/limiter\.explain: scarce, a share is [\d.]+\/s now/)
      skip(!isJudged({ text }), 'The machine stood still twice.')
      expect(text).toMatch(/\n\nThe limit held\. Everybody got a fair share\.\n$/)
      expect(text).toMatch(/✓ the quiet tenants got \d+ of the \d+ requests that they sent/)
    } finally {
      await server.stop()
    }
  })

  it('the show fails if the shares are not kept', async ({ skip }) => {
    const { fair: _, ...bare } = BACKEND
    const { ok, text } = await performJudged(bare)
    expect(text).toContain('✓ nothing was admitted beyond the limit')
    skip(!isJudged({ text }), 'The machine stood still twice.')
    expect(ok).toBe(false)
    expect(text).toMatch(/\n\nThe limit held\. Not everybody got a fair share\.\n$/)
    expect(text).toMatch(/✗ those that want more got the same for their weight/)
  })
})

describe('the picture', () => {
  it('the picture has a bar for each tenant, as long as its part of the limit', () => {
    const rateOf = ({ name }: { readonly name: string }) =>
      name === LOUD ? { asked: 400, got: 50 } : { asked: 0, got: BACKEND.limit / 16 }
    const rows = picture({ rateOf, columns: 40, line: 'a line' }, plain)
    expect(rows).toHaveLength(TENANTS.length + 1)
    expect(rows[0]).toBe(`loud       asks  400/s  gets   50/s  ${'█'.repeat(20)}`)
    expect(rows[2]).toBe('clinic ×2  asks    0/s  gets    6/s  ██▌')
    expect(rows.at(-1)).toBe('a line')
  })
})

describe('the record', () => {
  it('a record sums up what a tenant got between two instants', () => {
    const record = new Record()
    record.note({ at: 100, served: [{ tenant: 'a', asked: 3, got: 2 }], stoodStill: 7 })
    record.note({
      at: 200,
      served: [
        { tenant: 'a', asked: 1, got: 1 },
        { tenant: 'b', asked: 5, got: 0 },
      ],
      stoodStill: 3,
    })
    expect(record.stoodStill).toBe(7)
    expect(record.of('a', 100, 200)).toEqual({ asked: 3, got: 2 })
    expect(record.of(undefined)).toEqual({ asked: 9, got: 3 })
    // 0.2 seconds.
    expect(record.rateOf('a', 50, 250)).toEqual({ asked: 20, got: 15 })
    expect(jain([5, 5, 5])).toBe(1)
    expect(jain([1, 0, 0, 0])).toBe(0.25)
  })
})
