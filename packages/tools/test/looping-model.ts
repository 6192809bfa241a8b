import { MockLanguageModelV3 } from 'ai/test'

import { isToolRefusal, type ToolRefusal } from '../src/index.ts'

export const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
}
type Prompt = Parameters<MockLanguageModelV3['doGenerate']>[0]['prompt']

/** What the model was told by tools, oldest first. */
const toolResults = (prompt: Prompt) =>
  prompt.flatMap(message =>
    message.role === 'tool'
      ? message.content.flatMap(part => (part.type === 'tool-result' ? part.output : []))
      : [],
  )

/** When a looping model gives up, and what it says then. */
interface Temper {
  /** The refusals that it ignores, and one more. */
  readonly patience?: number
  readonly say?: (last: ToolRefusal) => string
}

/** A model that calls one tool again and again, and gives up when it was refused so often. */
export function looping(
  input: object | (() => object),
  { patience = 3, say = ({ message }) => `I stop: ${message}` }: Temper = {},
): MockLanguageModelV3 {
  let calls = 0
  return new MockLanguageModelV3({
    async doGenerate({ prompt }) {
      const refused = toolResults(prompt).flatMap(output =>
        output.type === 'json' && isToolRefusal(output.value) ? [output.value as unknown as ToolRefusal] : [],
      )
      const last = refused.at(-1)
      if (refused.length >= patience && last !== undefined)
        return {
          content: [{ type: 'text', text: say(last) }],
          finishReason: { unified: 'stop', raw: undefined },
          usage,
          warnings: [],
        }
      const args = typeof input === 'function' ? input() : input
      return {
        content: [
          {
            type: 'tool-call',
            toolCallId: `call-${calls++}`,
            toolName: 'search',
            input: JSON.stringify(args),
          },
        ],
        finishReason: { unified: 'tool-calls', raw: undefined },
        usage,
        warnings: [],
      }
    },
  })
}
