import type { ToolCalls } from '../call.ts'
import type { Tool } from '../tool.ts'

/** A function tool of OpenAI Agents. */
interface FunctionTool {
  readonly type: 'function'
  readonly name: string
  readonly invoke: (run: RunContext, input: string, details?: Details) => Promise<unknown>
}

interface RunContext {
  readonly context?: unknown
}

interface Details {
  readonly signal?: AbortSignal
}

/**
 * Guards the function tools of OpenAI Agents. A refusal is returned, and the SDK writes it as JSON. Tools that OpenAI runs stay as they
 * are.
 */
export function openaiTools<T extends object>(
  calls: ToolCalls,
  find: (name: string) => Tool,
  tools: readonly T[],
  context: unknown,
): T[] {
  return tools.map(given => {
    if (!isFunctionTool(given)) return given
    const tool = find(given.name)
    return {
      ...given,
      async invoke(run: RunContext, input: string, details?: Details): Promise<unknown> {
        const ended = await calls.run(
          { tool, context: context ?? run.context, args: read(input), signal: details?.signal },
          () => given.invoke(run, input, details),
        )
        return ended.refusal ?? (ended as { readonly value: unknown }).value
      },
    }
  })
}

function isFunctionTool(tool: object): tool is FunctionTool {
  const { type, invoke } = tool as Partial<FunctionTool>
  return type === 'function' && typeof invoke === 'function'
}

/** The arguments that a model wrote. The SDK tells the model of text that is not JSON. */
function read(input: string): unknown {
  try {
    return JSON.parse(input)
  } catch {
    return input
  }
}
