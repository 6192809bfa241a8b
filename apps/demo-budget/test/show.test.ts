import { usd } from '@halt/core'
import { openStore } from '@halt/demo-kit'
import { Screen } from '@halt/demo-kit/screen'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { type ProcessScript, processScript } from '../../../tools/process-script.ts'
import { unique } from '../../../tools/unique.ts'
import { startModel } from '../src/model-server.ts'
import { picture } from '../src/picture.ts'
import { show } from '../src/show.ts'

let script: ProcessScript
beforeAll(async () => {
  script = await processScript(new URL('../src/agents-process.ts', import.meta.url))
})
afterAll(() => script.remove())

/** Runs the show with a few agents. Returns what it printed. */
async function perform(limit: number, killEvery: number): Promise<{ ok: boolean; text: string }> {
  let text = ''
  const screen = new Screen({ write: (more: string) => void (text += more) })
  const redis = inject('redisUrl')
  const prefix = `${unique()}:`
  const model = await startModel()
  const { store, close } = openStore({ url: redis, prefix })
  try {
    const crew = { processes: 2, agents: 4, limit, redis, prefix, script: script.path }
    return { ok: await show({ ...crew, screen, model, store, killEvery }), text }
  } finally {
    await close()
    await model.close()
  }
}

describe('the show', () => {
  // Two processes are killed in the full form, and one in the short form.
  const [budget, killEvery, who] = isFull ? [0.06, 0.02, 'some are'] : [0.03, 0.015, 'one is']

  it(`the processes of the show use a budget up and never pass it, although ${who} killed`, async () => {
    const { ok, text } = await perform(usd(budget), usd(killEvery))
    expect(ok, text).toBe(true)
    expect(text).not.toContain('✗')
    expect(text).toContain('overspend $0.0000')
    expect(text).toContain('killed')
  })
})

describe('the picture', () => {
  it('the picture shows the used, held and free money as a bar, and the agents that stream as dots', () => {
    const places = [
      { streams: 2, answers: 5, kills: 0 },
      { streams: 0, answers: 7, kills: 2 },
    ]
    expect(picture({ limit: 1e6, used: 5e5, held: 2.5e5, agents: 3, places, columns: 8 })).toEqual([
      'budget     ████▒▒··',
      '           █ used $0.5000  ▒ held $0.2500  · left $0.2500',
      'process 1  ●●○  5 answers',
      'process 2  ○○○  7 answers, killed 2 times',
    ])
  })
})
