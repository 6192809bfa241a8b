// Callers that leave at each stage of a call, and streams that nobody reads to their end.
import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import type { Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'
import { MockLanguageModelV3 } from 'ai/test'
import { describe, expect, it } from 'vitest'

import { answering, parts, read, scene, streaming, usage } from './scene.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** A store whose answer to the first question comes after `meanwhile` was called. */
function slowly(meanwhile: () => void): Store {
  const store = new InMemoryStore()
  let isFirst = true
  return {
    evaluate: async group => {
      const answer = store.evaluate(group)
      if (isFirst) meanwhile()
      isFirst = false
      return answer
    },
    forget: counters => store.forget(counters),
  }
}

describe('a caller that leaves while its cost is reserved', () => {
  it.each(['doGenerate', 'doStream'] as const)('a caller that left asks no model: %s', async method => {
    const caller = new AbortController()
    const gone = new Error('gone')
    const { wrap, state } = scene({}, { store: slowly(() => caller.abort(gone)) })
    let asked = 0
    const model = new MockLanguageModelV3({
      doGenerate: async () => {
        asked++
        return answering('hello', usage(1, 1)).doGenerate({ prompt: [] })
      },
      doStream: async () => {
        asked++
        return streaming(parts(['hello'], usage(1, 1))).model.doStream({ prompt: [] })
      },
    })
    const call = wrap(model)[method]({ prompt: [], abortSignal: caller.signal })
    await expect(Promise.resolve(call)).rejects.toBe(gone)
    expect([asked, await state()]).toEqual([0, [0, 0]])
  })
})

describe('a signal that lives as long as the process', () => {
  it('a signal that lives as long as the process has no listener of a stream that is over', async () => {
    const { signal } = new AbortController()
    const { wrap } = scene()
    const params = { prompt: [], abortSignal: signal }
    const texts = parts(['hello'], usage(1, 1))
    await read((await wrap(streaming(texts).model).doStream(params)).stream)
    await (await wrap(streaming(texts).model).doStream(params)).stream.cancel()
    await read((await wrap(streaming([new Error('broken')]).model).doStream(params)).stream)
    // Its last part is there, and nobody asks whether more follows.
    const reader = (await wrap(streaming(texts, true).model).doStream(params)).stream.getReader()
    while ((await reader.read()).value?.type !== 'finish');
    const own = getEventListeners(signal, 'abort').filter(({ name }) => name === 'leave')
    expect(own).toHaveLength(0)
  })
})

describe('a stream that nobody reads to its end, and that the code has forgotten', () => {
  it.each([
    [0, [10, 0]],
    [3, [20, 0]],
  ])(
    'a forgotten stream pays for the parts that were read, frees the rest, and stops the model: %i parts',
    async (count, left) => {
      const { wrap, state, warnings } = scene()
      const { signal } = new AbortController()
      const { model, seen } = streaming(parts(['hello', ' you'], usage(12, 30)))
      const forget = async (): Promise<void> => {
        const { stream } = await wrap(model).doStream({ prompt: [], abortSignal: signal })
        const reader = stream.getReader()
        for (let i = 0; i < count; i++) await reader.read()
      }
      await forget()
      expect((await state())[1]).toBeGreaterThan(0)
      await expect
        .poll(async () => {
          collect()
          return (await state())[1]
        })
        .toBe(0)
      expect([await state(), seen.signal?.aborted]).toEqual([left, true])
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_NEVER_SETTLED'])
    },
  )
})
