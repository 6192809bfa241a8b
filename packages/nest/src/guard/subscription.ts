/** True if the value of a handler is a GraphQL subscription. */
export function isAsyncIterator(value: unknown): value is AsyncIterator<unknown> {
  const shape = value as { next?: unknown; [Symbol.asyncIterator]?: unknown } | null | undefined
  return typeof shape?.[Symbol.asyncIterator] === 'function' && typeof shape.next === 'function'
}

/** Wraps an iterator, and calls back once when it is exhausted, fails, or the client leaves. */
export function callAtEnd(
  iterator: AsyncIterator<unknown>,
  ended: () => void,
): AsyncIterableIterator<unknown> {
  let over = false
  const end = (): void => {
    if (!over) ended()
    over = true
  }
  const step = async (made: Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> => {
    try {
      const result = await made
      if (result.done === true) end()
      return result
    } catch (error) {
      end()
      throw error
    }
  }
  return {
    next: () => step(iterator.next()),
    return: async value => {
      end()
      return (await iterator.return?.(value)) ?? { done: true, value }
    },
    throw: async error => {
      end()
      if (iterator.throw === undefined) throw error
      return iterator.throw(error)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
