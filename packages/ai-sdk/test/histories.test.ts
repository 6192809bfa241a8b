// Streams that share a budget, and are read, aborted, cancelled, broken and ended in any order: it has paid what the book says at any time.
import fc from 'fast-check'
import { isLimited } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { MockLanguageModelV3 } from 'ai/test'
import { expect, it } from 'vitest'

import type { StreamPart } from '../src/model.ts'
import { generated, scene, streaming, usage } from './scene.ts'

const LIMIT = 1000
const INPUT = 10
const MOST = 100

/** How a stream ends by itself: with a usage or without one, after an error or not; by a failure; or without a last part. */
const ENDS = ['usage', 'no usage', 'error', 'error and usage', 'failure', 'nothing'] as const
type End = (typeof ENDS)[number]

type Op =
  | { do: 'stream'; texts: readonly number[]; end: End }
  | { do: 'generate'; output: number | undefined }
  | { do: 'read' | 'abort' | 'cancel'; which: number }
  | { do: 'others'; units: number }

const which = fc.nat({ max: 20 })
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('stream' as const),
      texts: fc.array(fc.nat({ max: 60 }), { maxLength: 6 }),
      end: fc.constantFrom(...ENDS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('generate' as const),
      output: fc.option(fc.integer({ min: 1, max: 150 }), { nil: undefined }),
    }),
  },
  { weight: 14, arbitrary: fc.record({ do: fc.constant('read' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('abort' as const, 'cancel' as const), which }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('others' as const), units: fc.integer({ min: 1, max: 300 }) }),
  },
)

const costOf = (output: number): number => INPUT + 2 * output
const RESERVED = costOf(MOST)

/** A stream as the book knows it. */
interface Booked {
  readonly parts: StreamPart[]
  readonly end: End
  readonly reader: ReadableStreamDefaultReader<StreamPart>
  readonly caller: AbortController
  made: number | undefined
  paid: number
}

function partsOf(texts: readonly number[], end: End): (StreamPart | Error)[] {
  const all: (StreamPart | Error)[] = texts.map(length => ({
    type: 'text-delta',
    id: '1',
    delta: 'x'.repeat(length),
  }))
  if (end === 'failure') return [...all, new Error('broken')]
  if (end === 'nothing') return all
  if (end.startsWith('error')) all.push({ type: 'error', error: new Error('overloaded') })
  const reported = end.endsWith('usage') && end !== 'no usage' ? usage(12, 33) : usage()
  return [...all, { type: 'finish', finishReason: { unified: 'stop', raw: undefined }, usage: reported }]
}

async function play(ahead: number, ops: readonly Op[]): Promise<void> {
  const { wrap, state, limiter } = scene(
    { chunk: 1, ahead, most: MOST },
    { store: new InMemoryStore({ clock: new ManualClock().now }) },
  )
  let used = 0
  let open: Booked[] = []
  const held = ({ paid }: Booked): number => Math.max(0, RESERVED - paid)
  const room = (): number => LIMIT - used - open.reduce((sum, stream) => sum + stream.paid + held(stream), 0)
  const close = (stream: Booked, units: number): void => {
    open = open.filter(other => other !== stream)
    used += units
  }
  const leave = (stream: Booked): void => close(stream, costOf(stream.made ?? 0))
  const fail = (stream: Booked): void => close(stream, stream.made === undefined ? 0 : costOf(stream.made))
  const read = async (stream: Booked): Promise<void> => {
    const { reader, parts, end } = stream
    const part = parts.shift()
    const { value, error } = await reader.read().then(
      ({ value }) => ({ value, error: undefined }),
      (error: unknown) => ({ value: undefined, error }),
    )
    if (part instanceof Error) {
      expect(error).toBe(part)
      return fail(stream)
    }
    if (part === undefined) {
      expect([value, error]).toEqual([undefined, undefined])
      return leave(stream)
    }
    if (part.type === 'text-delta') {
      const made = (stream.made ?? 0) + part.delta.length
      const target = costOf(Math.max(made, Math.min(made + ahead, MOST)))
      stream.made = made
      // What a stream holds is its own, even if the usage of others was more than they had reserved.
      const beyond = target - Math.max(RESERVED, stream.paid)
      if (beyond > 0 && beyond > room()) {
        expect(value).toMatchObject({ type: 'error' })
        expect(isLimited((value as { error?: unknown }).error)).toBe(true)
        return close(stream, stream.paid)
      }
      stream.paid = Math.max(stream.paid, target)
    }
    expect(value).toBe(part)
    if (part.type !== 'finish') return
    if (end.endsWith('usage') && end !== 'no usage') close(stream, 12 + 2 * 33)
    else if (stream.made !== undefined) close(stream, costOf(stream.made))
    else close(stream, end === 'error' ? 0 : RESERVED)
  }
  for (const each of ops) {
    const stream = 'which' in each ? open[each.which % Math.max(1, open.length)] : undefined
    switch (each.do) {
      case 'stream': {
        const parts = partsOf(each.texts, each.end)
        const caller = new AbortController()
        const isFree = room() >= RESERVED
        const answer = await wrap(streaming(parts).model)
          .doStream({ prompt: [], abortSignal: caller.signal })
          .then(
            ({ stream }) => stream.getReader(),
            (error: unknown) => error,
          )
        expect(isLimited(answer)).toBe(!isFree)
        if (isFree)
          open.push({
            parts: [...parts] as StreamPart[],
            end: each.end,
            reader: answer as Booked['reader'],
            caller,
            made: undefined,
            paid: costOf(Math.min(ahead, MOST)),
          })
        break
      }
      case 'generate': {
        const { output } = each
        const isFree = room() >= RESERVED
        const model = new MockLanguageModelV3({
          async doGenerate() {
            if (output === undefined) throw new Error('broken')
            return generated('x', usage(12, output))
          },
        })
        const answer = await wrap(model)
          .doGenerate({ prompt: [] })
          .then(
            () => undefined,
            (error: unknown) => error,
          )
        expect(isLimited(answer)).toBe(!isFree)
        if (isFree && output !== undefined) used += 12 + 2 * output
        break
      }
      case 'read':
        if (stream !== undefined) await read(stream)
        break
      case 'abort':
        if (stream === undefined) break
        stream.caller.abort(new Error('gone'))
        leave(stream)
        break
      case 'cancel':
        if (stream === undefined) break
        await stream.reader.cancel()
        leave(stream)
        break
      case 'others':
        if ((await limiter.consume({ user: 'team' }, { cost: each.units })).allowed) used += each.units
    }
    const paid = open.reduce((sum, own) => sum + own.paid, 0)
    expect(await state()).toEqual([used + paid, open.reduce((sum, own) => sum + held(own), 0)])
  }
}

it('streams pay for what they pass on, whatever becomes of them', async () => {
  const ahead = fc.constantFrom(0, 7, 200)
  const ops = fc.array(op, { minLength: 3, maxLength: 60 })
  await fc.assert(fc.asyncProperty(ahead, ops, play), { numRuns: Number(process.env['RUNS'] ?? 40) })
})
