import type { ToolCalls } from '../call.ts'
import type { ToolRefusal } from '../refusal.ts'
import type { Tool } from '../tool.ts'

/** A refused call, as a result of MCP. A model reads such a result; only the client's program sees an error of the protocol. */
export interface McpRefusal {
  [field: string]: unknown
  isError: true
  content: { type: 'text'; text: string }[]
  /** The refusal, for the client's program. */
  _meta: { [field: string]: unknown } & ToolRefusal
}

/** Guards a handler of an MCP server: `(args, extra)`, or `(extra)` for a tool without an input schema. */
export function mcpHandler<A extends readonly unknown[], T>(
  calls: ToolCalls,
  tool: Tool,
  handler: (...given: A) => T | PromiseLike<T>,
): (...given: A) => Promise<T | McpRefusal> {
  return async (...given) => {
    const context = given.at(-1)
    const args = given.length > 1 ? given[0] : undefined
    const { signal } = (context ?? {}) as { readonly signal?: AbortSignal }
    const ended = await calls.run<T>(
      { tool, context, args, signal },
      async () => handler(...given),
      hasFailed,
    )
    return ended.refusal === undefined ? ended.value : resultOf(ended.refusal)
  }
}

function hasFailed(result: unknown): boolean {
  return (result as { readonly isError?: unknown } | null | undefined)?.isError === true
}

function resultOf(refusal: ToolRefusal): McpRefusal {
  return { isError: true, content: [{ type: 'text', text: refusal.message }], _meta: { ...refusal } }
}
