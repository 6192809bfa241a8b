import { fromCaller, type Policy } from '@halt/core'

import { ToolCalls } from './call.ts'
import { aiSdkTools } from './frameworks/ai-sdk.ts'
import { langchainTool } from './frameworks/langchain.ts'
import { mcpHandler, type McpRefusal } from './frameworks/mcp.ts'
import { openaiTools } from './frameworks/openai-agents.ts'
import { checkGuard, type ToolGuardOptions } from './options.ts'
import { ToolLimitedError } from './tool-limited-error.ts'
import { type Tool, Tools } from './tool.ts'

/**
 * Guards the tools of agents. Each method throws `HALT_E_TOOL` for a tool that is not listed, where there is no `'*'`. `context` is for
 * `who`, in place of the one that the framework has.
 */
export interface ToolGuard<C = unknown> {
  /** Guards a handler of an MCP server. A refusal is a result with `isError`. */
  mcp<A extends readonly unknown[], T>(
    name: string,
    handler: (...given: A) => T | PromiseLike<T>,
  ): (...given: A) => Promise<T | McpRefusal>
  /** Guards the tools of the AI SDK. A refusal is the result of the tool: `isToolRefusal(output)`. */
  aiSdk<T extends object>(tools: T, context?: C): T
  /** Guards function tools of OpenAI Agents. A refusal is the result of the tool. */
  openaiAgents<T extends object>(tools: readonly T[], context?: C): T[]
  /** Guards a tool of LangChain. A refusal is the result of the tool, as JSON. */
  langchain<T extends object>(tool: T, context?: C): T
  /**
   * Guards a function. A refused call throws a `LimitedError`, whose `refusal` is what the model may be told. The first argument is the one
   * that `cost` gets.
   */
  wrap<A extends readonly unknown[], T>(
    name: string,
    run: (...args: A) => T | PromiseLike<T>,
    context?: C,
  ): (...args: A) => Promise<T>
  /**
   * The limits of a tool, or of all tools, beside those of the limiter: for `pause`, `reset` and `peek` of the limiter, and for the
   * limits file of the command line. Empty for a tool without a limit of its own.
   */
  limits(name?: string): readonly Policy[]
}

/**
 * Makes a guard for the tools of agents. The limits of the limiter, those of the tool, and `repeats` are decided in one step: a call is
 * charged to all of them, or to none. A refused call does not run; the model is told why, and when to come again.
 *
 * @throws HaltError `HALT_E_TOOL`, `HALT_E_LIMITER`, `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`, `HALT_E_POLICY_REQUIRED`, and as policies do
 * @example
 * const guard = guardTools({
 *   limiter, // { name: 'tool_calls', limit: 300, window: '1h' }
 *   who: ({ context }: ToolCaller<{ authInfo?: AuthInfo }>) => ({ user: context.authInfo?.clientId }),
 *   tools: { send_mail: { limit: 20, window: '1h' }, '*': {} },
 *   repeats: 3,
 * })
 * server.registerTool('send_mail', spec, guard.mcp('send_mail', handler))
 */
export function guardTools<C = unknown>(options: ToolGuardOptions<C>): ToolGuard<C> {
  return fromCaller(guardTools, () => {
    checkGuard(options)
    const tools = new Tools(options)
    const calls = new ToolCalls(options)
    const find = (name: string): Tool => tools.named(name)
    return Object.freeze<ToolGuard<C>>({
      mcp: (name, handler) => mcpHandler(calls, find(name), handler),
      aiSdk: (given, context) => aiSdkTools(calls, find, given, context),
      openaiAgents: (given, context) => openaiTools(calls, find, given, context),
      langchain: (given, context) => langchainTool(calls, find, given, context),
      wrap(name, run, context) {
        const tool = find(name)
        return async (...args) => {
          const compared = args.length > 1 ? args : args[0]
          const ended = await calls.run({ tool, context, args: args[0], compared }, async () => run(...args))
          if (ended.refusal !== undefined) throw new ToolLimitedError(ended.refusal, ended.decision)
          return ended.value
        }
      },
      limits: name => (name === undefined ? tools.limits : find(name).limits),
    })
  })
}
