/** The part of Node's own response that shows its end, of HTTP/1 or HTTP/2. */
export interface EndingResponse {
  once(event: 'finish' | 'close', listener: () => void): unknown
  readonly closed?: boolean | undefined
  readonly destroyed?: boolean | undefined
  readonly writableEnded?: boolean | undefined
  /** HTTP/2 only. */
  readonly stream?: EndingStream | undefined
  /** In HTTP/1 null while the response waits behind others of the same connection. */
  readonly socket?: { readonly destroyed?: boolean | undefined } | null | undefined
  readonly req?: { readonly socket?: EndingSocket | null | undefined } | undefined
}

interface EndingStream {
  once(event: 'close' | 'aborted', listener: () => void): unknown
  readonly destroyed?: boolean | undefined
  readonly closed?: boolean | undefined
  readonly session?: EndingSession | undefined
}

interface EndingSession {
  on(event: 'goaway', listener: () => void): unknown
}

interface EndingSocket {
  once(event: 'close', listener: () => void): unknown
  readonly destroyed?: boolean | undefined
}

type Ended = (isSent: boolean) => void

/**
 * Calls back once when a response ends: with true when it was sent, with false when the client disconnected first.
 *
 * It uses the events of the response itself, because frameworks report less about clients that disconnect.
 */
export function onResponseEnd(response: EndingResponse, ended: Ended): void {
  const others = watched.get(response)
  // One listener per response, however many guards it passes.
  if (others !== undefined) return void others.push(ended)
  const { stream } = response
  const session = stream?.session
  // A pipelined response that is still waiting emits no event when its connection closes.
  const connection = response.socket === null ? response.req?.socket : undefined
  // The client may have disconnected during the store call. Then no further event comes.
  if (isGone(response)) return ended(false)
  const listeners = [ended]
  watched.set(response, listeners)
  const end: Ended = isSent => {
    watched.delete(response)
    if (connection) waiting.get(connection)?.delete(leave)
    if (session) streams.get(session)?.delete(stream)
    for (const each of listeners.splice(0)) each(isSent)
  }
  const leave = (): void => end(false)
  // An HTTP/2 response also emits "finish" when its stream is reset.
  response.once('finish', () => end(response.writableEnded !== false))
  response.once('close', leave)
  // Node emits nothing on the response to a HEAD request whose stream is reset before the response has ended.
  stream?.once('close', leave)
  // A client may reset a stream with NO_ERROR. If something of the response still waits for the client then, Node never destroys the
  // stream. It tells of the reset only if the response has not ended.
  stream?.once('aborted', leave)
  // Otherwise the farewell of the client shows it. Node may not notice either that such a client closes the connection.
  if (session) whenReset(session, stream, leave)
  if (connection) whenClosed(connection, leave)
}

/** Whether nothing of a response can be sent any more, because its client has left. */
export function isGone({ closed, destroyed, stream, socket, req }: EndingResponse): boolean {
  if (closed === true || destroyed === true) return true
  if (stream !== undefined) return stream.destroyed === true || stream.closed === true
  // A response that waited behind others may get its connection after that has closed, and is told nothing.
  return (socket ?? req?.socket)?.destroyed === true
}

const watched = new WeakMap<EndingResponse, Ended[]>()
// One listener per connection as well, however many requests are pipelined on it.
const waiting = new WeakMap<EndingSocket, Set<() => void>>()
const streams = new WeakMap<EndingSession, Map<EndingStream, () => void>>()

function whenClosed(connection: EndingSocket, listener: () => void): void {
  const others = waiting.get(connection)
  if (others !== undefined) return void others.add(listener)
  const listeners = new Set([listener])
  waiting.set(connection, listeners)
  connection.once('close', () => {
    for (const each of listeners) each()
  })
}

/** Calls back when the client says farewell to a connection on which it has reset a stream. */
function whenReset(session: EndingSession, stream: EndingStream, listener: () => void): void {
  const others = streams.get(session)
  if (others !== undefined) return void others.set(stream, listener)
  const listeners = new Map([[stream, listener]])
  streams.set(session, listeners)
  session.on('goaway', () => {
    for (const [each, left] of listeners) if (each.closed === true) left()
  })
}
