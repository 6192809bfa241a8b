import type { ToolCalls } from '../call.ts'
import { isToolRefusal } from '../refusal.ts'
import type { Tool } from '../tool.ts'

/** The options that the AI SDK gives a tool. */
interface ExecutionOptions {
  readonly abortSignal?: AbortSignal
  /** Of version 6: the context of the whole call. */
  readonly experimental_context?: unknown
  /** Of version 7: the context of the tool. */
  readonly context?: unknown
}

type Execute = (input: unknown, options: ExecutionOptions) => unknown

/** The parts of a tool of the AI SDK that a guard replaces. */
interface SdkTool {
  readonly execute?: Execute
  readonly toModelOutput?: (given: unknown) => unknown
}

/**
 * Guards the tools of the AI SDK. A refusal is returned, because of an error the model would see only the text. Tools that the client or
 * the provider runs have no `execute`, and stay as they are.
 */
export function aiSdkTools<T extends object>(
  calls: ToolCalls,
  find: (name: string) => Tool,
  tools: T,
  context: unknown,
): T {
  const guarded = Object.entries(tools as Readonly<Record<string, SdkTool>>).map(([name, tool]) => [
    name,
    typeof tool.execute === 'function' ? guardTool(calls, find(name), tool, context) : tool,
  ])
  return Object.fromEntries(guarded) as T
}

function guardTool(calls: ToolCalls, tool: Tool, given: SdkTool, context: unknown): SdkTool {
  const { execute, toModelOutput } = given as SdkTool & { readonly execute: Execute }
  const streams = isGenerator(execute)
  const run: Run = (input, options) =>
    calls.run(
      {
        tool,
        context: context ?? options.experimental_context ?? options.context,
        args: input,
        signal: options.abortSignal,
      },
      () => (streams ? execute(input, options) : lastOf(execute(input, options))),
    )
  return {
    ...given,
    execute: streams ? streamed(run) : returned(run),
    // The application's own function knows only results.
    ...(toModelOutput && {
      toModelOutput: (options: unknown) => {
        const result = (options as { readonly output?: unknown }).output
        return isToolRefusal(result) ? { type: 'json', value: result } : toModelOutput(options)
      },
    }),
  }
}

type Run = (input: unknown, options: ExecutionOptions) => ReturnType<ToolCalls['run']>

/** A tool that gives preliminary results. The SDK reads these only of an iterable that is not behind a promise. */
function streamed(run: Run): Execute {
  return async function* (input, options) {
    const ended = await run(input, options)
    if (ended.refusal !== undefined) yield ended.refusal
    else yield* ended.value as AsyncIterable<unknown>
  }
}

function returned(run: Run): Execute {
  return async (input, options) => {
    const ended = await run(input, options)
    return ended.refusal === undefined ? ended.value : ended.refusal
  }
}

/** The last result of a function that gives several and is not a generator: behind its promise the SDK reads no others. */
async function lastOf(given: unknown): Promise<unknown> {
  const result = await given
  if (!isIterable(result)) return result
  let last: unknown
  for await (const one of result) last = one
  return last
}

function isGenerator(execute: Execute): boolean {
  return Object.prototype.toString.call(execute) === '[object AsyncGeneratorFunction]'
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
