// A request that lasts until the test ends it.

/** A request whose body is not complete. */
export interface OpenPost {
  readonly response: Promise<Response>
  /** Completes the body, and reads the response to its end. */
  end(): Promise<string>
}

/** Sends a POST request that stays open. */
export function openPost(
  fetch: (path: string, init?: RequestInit) => Promise<Response>,
  path: string,
): OpenPost {
  let end = (): void => {}
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('begun '))
      end = () => controller.close()
    },
  })
  const init = { method: 'POST', body, duplex: 'half' as const }
  const response = fetch(path, init)
  return {
    response,
    async end() {
      end()
      return (await response).text()
    },
  }
}
