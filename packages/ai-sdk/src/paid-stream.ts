import type { Account } from './account.ts'
import type { StreamPart } from './model.ts'
import { withUsage } from './usage.ts'

/** The blocks of a stream that have begun and not ended, by id. */
type OpenBlocks = Map<string, 'text-end' | 'reasoning-end' | 'tool-input-end'>

/** What a stream needs of its caller. */
interface Caller {
  /** Aborted when the caller has left. */
  readonly signal: AbortSignal | undefined
  /** Stops the model, which still runs. */
  readonly stop: (reason: unknown) => void
  /** Tells that the stream is over. */
  readonly over: () => void
}

/**
 * Pays for the parts of a stream before it passes them on. If a budget is used up, it stops the model, and the stream ends with an
 * error that says which budget.
 */
export function paidStream(
  stream: ReadableStream<StreamPart>,
  account: Account,
  { signal, stop, over }: Caller,
): ReadableStream<StreamPart> {
  const reader = stream.getReader()
  const open: OpenBlocks = new Map()
  const streamed = new Set<string>()
  const end = async (controller: ReadableStreamDefaultController<StreamPart>): Promise<void> => {
    const error = account.failure
    const reason: unknown = error ?? signal?.reason
    reader.cancel(reason).catch(() => {})
    stop(reason)
    await account.stop()
    if (error === undefined) throw reason
    for (const [id, type] of open) controller.enqueue({ type, id })
    controller.enqueue({ type: 'error', error })
    const finishReason = { unified: 'error', raw: 'budget' } as const
    controller.enqueue({ type: 'finish', finishReason, usage: account.usage })
    controller.close()
  }
  let hasFailed = false
  const next = async (controller: ReadableStreamDefaultController<StreamPart>): Promise<void> => {
    const { done, value: part } = await reader.read().catch((error: unknown) => {
      hasFailed = true
      throw error
    })
    if (done) {
      over()
      await (hasFailed ? account.fail() : account.leave())
      return controller.close()
    }
    note(part, open)
    const text = textOf(part, streamed)
    if (text !== undefined && (account.signal.aborted || !(await account.pay(text)))) return end(controller)
    if (part.type === 'error') hasFailed = true
    if (part.type === 'finish') {
      over()
      await account.settle(part.usage, undefined, hasFailed)
      return controller.enqueue(withUsage(part))
    }
    controller.enqueue(part)
  }
  return new ReadableStream<StreamPart>(
    {
      async pull(controller) {
        try {
          await next(controller)
        } catch (error) {
          if (account.signal.aborted) return end(controller)
          reader.cancel(error).catch(() => {})
          stop(error)
          await (hasFailed ? account.fail() : account.leave())
          throw error
        }
      },
      async cancel(reason) {
        const cancelled = reader.cancel(reason)
        stop(reason)
        await Promise.all([cancelled, account.leave()])
      },
    },
    // Nothing is paid before somebody reads it.
    { highWaterMark: 0 },
  )
}

/** The text of a part that was generated, undefined for other parts. */
function textOf(part: StreamPart, streamed: Set<string>): string | undefined {
  switch (part.type) {
    case 'tool-input-delta':
      streamed.add(part.id)
      return part.delta
    case 'text-delta':
    case 'reasoning-delta':
      return part.delta
    case 'tool-call':
      return streamed.has(part.toolCallId) ? undefined : part.input
    case 'file':
      return ''
    default:
      return undefined
  }
}

function note(part: StreamPart, open: OpenBlocks): void {
  switch (part.type) {
    case 'text-start':
    case 'reasoning-start':
    case 'tool-input-start':
      open.set(
        part.id,
        part.type === 'text-start'
          ? 'text-end'
          : part.type === 'reasoning-start'
            ? 'reasoning-end'
            : 'tool-input-end',
      )
      break
    case 'text-end':
    case 'reasoning-end':
    case 'tool-input-end':
      open.delete(part.id)
      break
    default:
  }
}
