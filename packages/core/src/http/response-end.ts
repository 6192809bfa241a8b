/** What is asked of a response: Node's own, of HTTP/1 or HTTP/2. */
export interface EndingResponse {
  once(event: 'finish' | 'close', listener: () => void): unknown
  readonly closed?: boolean | undefined
  readonly destroyed?: boolean | undefined
  readonly writableEnded?: boolean | undefined
  readonly stream?: { readonly destroyed?: boolean | undefined } | undefined
}

/**
 * Calls back once when a response is over: with true when it was sent, with false when the client left before.
 *
 * By the response's own events: frameworks tell less of clients that leave.
 */
export function onResponseEnd(response: EndingResponse, ended: (isSent: boolean) => void): void {
  let isOver = false
  const end = (isSent: boolean): void => {
    if (isOver) return
    isOver = true
    ended(isSent)
  }
  // The client may have left while the store was asked: nothing is emitted then any more.
  if (response.closed === true || response.destroyed === true || response.stream?.destroyed === true)
    return end(false)
  // An HTTP/2 response "finishes" when its stream is reset, too.
  response.once('finish', () => end(response.writableEnded !== false))
  response.once('close', () => end(false))
}
