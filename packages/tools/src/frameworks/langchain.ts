import type { ToolCalls } from '../call.ts'
import { notATool } from '../options.ts'
import type { ToolRefusal } from '../refusal.ts'
import type { Tool } from '../tool.ts'

/** The parts of a LangChain tool that a guard uses. */
interface LangChainTool {
  readonly name: string
  readonly responseFormat?: string
  _call(input: unknown, manager?: unknown, config?: Config): unknown
}

interface Config {
  readonly signal?: AbortSignal
  readonly context?: unknown
  readonly configurable?: unknown
}

/**
 * Guards a LangChain tool below `invoke`, so that LangChain itself makes the message of a refusal, with the ids that LangGraph looks for.
 * The tool that was given stays as it is.
 *
 * @throws HaltError `HALT_E_TOOL`
 */
export function langchainTool<T extends object>(
  calls: ToolCalls,
  find: (name: string) => Tool,
  given: T,
  context: unknown,
): T {
  if (!isTool(given))
    throw notATool(
      'guard.langchain got something that is not a tool of LangChain.',
      'Give what tool(…) of @langchain/core returns, one tool at a time.',
    )
  const tool = find(given.name)
  return Object.create(given, {
    _call: {
      async value(input: unknown, manager?: unknown, config?: Config): Promise<unknown> {
        const ended = await calls.run(
          {
            tool,
            context: context ?? config?.context ?? config?.configurable,
            args: input,
            signal: config?.signal,
          },
          () => given._call(input, manager, config),
        )
        return ended.refusal === undefined ? ended.value : resultOf(ended.refusal, given)
      },
    },
  }) as T
}

function resultOf(refusal: ToolRefusal, { responseFormat }: LangChainTool): unknown {
  const content = JSON.stringify(refusal)
  return responseFormat === 'content_and_artifact' ? [content, refusal] : content
}

function isTool(given: unknown): given is LangChainTool {
  const { name, _call } = (given ?? {}) as Partial<LangChainTool>
  return typeof name === 'string' && typeof _call === 'function'
}
