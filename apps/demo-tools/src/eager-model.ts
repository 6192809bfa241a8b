import { isToolRefusal } from '@halt/tools'
import type { wrapLanguageModel } from 'ai'

type Model = Parameters<typeof wrapLanguageModel>[0]['model']
type Answer = Awaited<ReturnType<Model['doGenerate']>>
type Prompt = Parameters<Model['doGenerate']>[0]['prompt']

/** The refusals after which the model gives up, as a model does that reads them. */
const PATIENCE = 3

const usage: Answer['usage'] = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
}

/**
 * A model that is to get an answer from a supplier who is on holiday: it mails, looks for an answer, and mails again. It ignores two
 * refusals, and reads the third one.
 */
export function eagerModel(): Model {
  let calls = 0
  const end = (text: string): Answer => ({
    content: [{ type: 'text', text }],
    finishReason: { unified: 'stop', raw: undefined },
    usage,
    warnings: [],
  })
  return {
    specificationVersion: 'v3',
    provider: 'demo',
    modelId: 'eager',
    supportedUrls: {},
    async doGenerate({ prompt }) {
      const refusals = messagesOf(prompt)
      const last = refusals.at(-1)
      if (refusals.length >= PATIENCE && last !== undefined) return end(`I stop. ${last}`)
      const isMail = calls++ % 2 === 0
      const input = isMail ? { to: 'supplier', text: `Please answer! (${calls})` } : { from: 'supplier' }
      return {
        content: [
          {
            type: 'tool-call',
            toolCallId: `call-${calls}`,
            toolName: isMail ? 'send_mail' : 'read_mail',
            input: JSON.stringify(input),
          },
        ],
        finishReason: { unified: 'tool-calls', raw: undefined },
        usage,
        warnings: [],
      }
    },
    doStream: () => Promise.reject(new Error('This model does not stream.')),
  }
}

/** What the model was told of calls that were not run. */
function messagesOf(prompt: Prompt): string[] {
  return prompt.flatMap(message =>
    message.role === 'tool'
      ? message.content.flatMap(part => {
          if (part.type !== 'tool-result' || part.output.type !== 'json') return []
          const { value } = part.output
          return isToolRefusal(value) ? [value.message] : []
        })
      : [],
  )
}
