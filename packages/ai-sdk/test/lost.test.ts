import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { generateText } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'
import { day, parts, read, scene, streaming, TEAM, usage } from './scene.ts'

// The process slept for longer than ttl, and others have used what it held.
function sleeper() {
  // Hours after the day of the quota began, because an hour later must be the same day.
  const clock = new ManualClock(aMinuteAgo().getTime() + 6 * 3_600_000)
  const { limiter, wrap, state } = scene({ ttl: '1s' }, { store: new InMemoryStore({ clock: clock.now }) })
  const sleep = async (): Promise<void> => {
    clock.advance('1h')
    await limiter.consume(TEAM, { cost: day.limit - 50 })
  }
  return { wrap, state, sleep }
}

describe('a call whose units were lost', () => {
  it('a stream whose units were lost ends with the reason, stops the model, and pays for what was passed on', async () => {
    const { wrap, state, sleep } = sleeper()
    const { model, seen } = streaming(parts(['hello'], usage()).slice(0, 3), true)
    const { stream } = await wrap(model).doStream({ prompt: [] })
    const reader = stream.getReader()
    for (let i = 0; i < 3; i++) await reader.read()
    await sleep()
    reader.releaseLock()
    const rest = await read(stream)
    expect(rest.error).toBeUndefined()
    expect(rest.parts).toMatchObject([
      { type: 'text-end' },
      { type: 'error', error: { code: 'HALT_E_HOLD_LOST' } },
      { type: 'finish', finishReason: { unified: 'error', raw: 'budget' } },
    ])
    expect([seen.signal?.aborted, await state()]).toEqual([true, [day.limit - 50 + 20, 0]])
  })

  it('a call whose units were lost throws the reason', async () => {
    const { wrap, sleep } = sleeper()
    const model = new MockLanguageModelV3({
      async doGenerate({ abortSignal }) {
        await sleep()
        return new Promise((_, reject) => {
          abortSignal?.addEventListener('abort', () => reject(new Error('aborted')))
        })
      },
    })
    const call = generateText({ model: wrap(model), prompt: 'hi' })
    await expect(call).rejects.toMatchObject({ code: 'HALT_E_HOLD_LOST' })
  })
})
