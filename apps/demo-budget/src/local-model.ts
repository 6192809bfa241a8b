import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'

import type { wrapLanguageModel } from 'ai'

type Model = Parameters<typeof wrapLanguageModel>[0]['model']
type StreamResult = Awaited<ReturnType<Model['doStream']>>
type Part = StreamResult['stream'] extends ReadableStream<infer P> ? P : never

/** A line of the model's answer. */
interface Line {
  readonly text?: string
  readonly usage?: { readonly input: number; readonly output: number }
}

/** The model server as a model of the AI SDK. */
export function localModel(url: string): Model {
  return {
    specificationVersion: 'v3',
    provider: 'local',
    modelId: 'demo',
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error('This model streams only.')),
    async doStream({ maxOutputTokens = 0, abortSignal }) {
      const asked = request(`${url}/?most=${maxOutputTokens}`, { method: 'POST', signal: abortSignal })
      asked.on('error', () => {})
      asked.flushHeaders()
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      const lines = createInterface({ input: response })[Symbol.asyncIterator]()
      const stream = new ReadableStream<Part>(
        {
          start: controller => controller.enqueue({ type: 'text-start', id: '1' }),
          async pull(controller) {
            // Each byte asks for a part.
            asked.write('+')
            const line = await lines.next()
            if (line.done === true) throw new Error('The model ended without its usage.')
            const { usage, text = '' } = JSON.parse(line.value) as Line
            if (usage === undefined) return controller.enqueue({ type: 'text-delta', id: '1', delta: text })
            asked.end()
            for (const part of ending(usage)) controller.enqueue(part)
            controller.close()
          },
          cancel: () => void asked.destroy(),
        },
        { highWaterMark: 0 },
      )
      return { stream }
    },
  }
}

function ending({ input, output }: NonNullable<Line['usage']>): Part[] {
  const inputTokens = { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined }
  const outputTokens = { total: output, text: output, reasoning: undefined }
  const finishReason = { unified: 'stop', raw: undefined } as const
  return [
    { type: 'text-end', id: '1' },
    { type: 'finish', finishReason, usage: { inputTokens, outputTokens } },
  ]
}
