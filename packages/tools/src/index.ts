export { guardTools, type ToolGuard } from './guard-tools.ts'
export { isToolRefusal, type ToolRefusal } from './refusal.ts'
export { type ToolLimitedError } from './tool-limited-error.ts'
export type { McpRefusal } from './frameworks/mcp.ts'
export type {
  Repeats,
  ToolCaller,
  ToolGuardOptions,
  ToolLimit,
  ToolLimiter,
  ToolOutcome,
  ToolSettings,
} from './options.ts'
