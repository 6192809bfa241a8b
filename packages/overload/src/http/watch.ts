import { bindingOutcome, isGone, onResponseEnd, type EndingResponse } from '@halt/core/http'

import type { Ending, Permit, Sender } from '../limit/permit.ts'

type Method = (this: unknown, ...args: unknown[]) => unknown

interface NodeStream {
  readonly destroyed?: boolean | undefined
  destroy?(): unknown
  on(event: 'close', listener: () => void): unknown
  once(event: 'close', listener: () => void): unknown
}

/** Node's own response, of HTTP/1 or HTTP/2. */
export interface NodeResponse extends EndingResponse {
  statusCode: number
  readonly headersSent: boolean
  readonly stream?: NodeStream | undefined
  destroy?(): unknown
  writeHead: unknown
  end: unknown
  on(event: 'close', listener: (this: NodeResponse) => void): unknown
  [SEEN]?: Seen
}

const SEEN: unique symbol = Symbol('halt.overload')

/** Node's own request, as far as it shows whether its body is there. */
interface Upload {
  /** Whether all of the body was received. */
  readonly complete?: boolean
  /** Whether the server has handed the connection over to an upgrade, such as to WebSockets. */
  readonly upgrade?: boolean
  /** Null while nobody reads. */
  readonly readableFlowing?: boolean | null
  /** The bytes that have come and that the application has not read. */
  readonly readableLength?: number
  once?(event: 'end', listener: () => void): unknown
}

/** A shedder that a response has passed. They form a chain, the last one first. */
class Seen implements Sender {
  readonly owner: object
  readonly permit: Permit
  readonly before: Seen | undefined
  readonly request: object
  /** What guards of limiters keep their notes on. */
  readonly noted: object
  readonly writeHead: Method
  readonly end: Method

  constructor(
    owner: object,
    permit: Permit,
    before: Seen | undefined,
    request: object,
    response: NodeResponse,
    noted: object,
  ) {
    this.owner = owner
    this.permit = permit
    this.before = before
    this.request = request
    this.noted = noted
    this.writeHead = before?.writeHead ?? (response.writeHead as Method)
    this.end = before?.end ?? (response.end as Method)
    permit.sender = this
  }

  get isSending(): boolean {
    const { complete, readableFlowing = null, readableLength } = this.request as Upload
    return complete === false && readableFlowing !== null && readableLength === 0
  }

  whenSent(callback: () => void): void {
    ;(this.request as Upload).once?.('end', callback)
  }
}

/** Whether a shedder has counted the request of a response. It may guard the server, and also be a middleware in it. */
export function hasSeen(owner: object, response: NodeResponse): boolean {
  let seen = response[SEEN]
  while (seen !== undefined && seen.owner !== owner) seen = seen.before
  return seen !== undefined
}

/**
 * Gives a permit back once the application has decided the response, or some time after the client has left before. So a stream
 * leaves at its headers, and an answer does not wait for a slow reader.
 *
 * @param noted what guards of limiters keep their notes on, if it is not the request
 */
// perf: bench "overload"; shared functions that find the permit on the response cost less than closures of each request.
export function watch(
  owner: object,
  permit: Permit,
  request: object,
  response: NodeResponse,
  noted: object = request,
): void {
  const before = response[SEEN]
  response[SEEN] = new Seen(owner, permit, before, request, response, noted)
  // A middleware before has written the head, or this is an upgrade. So nothing tells any more when the response is decided.
  if (response.headersSent || (request as Upload).upgrade === true) return permit.leave('drop')
  // It may have closed while an earlier middleware waited. Then no event follows.
  if (isGone(response)) permit.abandon()
  if (before !== undefined) return
  response.writeHead = writeHead
  // HTTP/1 writes the head by `writeHead`, but not if the client has left. HTTP/2 has another way within `end`.
  response.end = end
  const { stream } = response
  if (stream === undefined) response.on('close', close)
  else {
    // The response to a HEAD request does not tell that its stream was reset.
    stream.on('close', () => close.call(response))
  }
  // A response that waits behind others of its connection emits nothing when that closes.
  if (response.socket === null) onResponseEnd(response, () => close.call(response))
}

function writeHead(this: NodeResponse, ...args: unknown[]): unknown {
  const seen = this[SEEN]!
  // The method may throw. Then the response is not decided.
  const given = seen.writeHead.apply(this, args)
  leaveAll(this, endingOf(this.statusCode, seen.noted))
  return given
}

function end(this: NodeResponse, ...args: unknown[]): unknown {
  const seen = this[SEEN]!
  const given = seen.end.apply(this, args)
  if (seen.permit.isOpen) leaveAll(this, endingOf(this.statusCode, seen.noted))
  return given
}

function close(this: NodeResponse): void {
  if (this.headersSent) return leaveAll(this, endingOf(this.statusCode, this[SEEN]!.noted))
  // The work goes on, and ends with the handler.
  for (let seen = this[SEEN]; seen !== undefined; seen = seen.before) seen.permit.abandon()
}

/** The handler of a response has ended. If its client has left, nothing else may tell it. */
export function handlerEnded(response: NodeResponse): void {
  for (let seen = response[SEEN]; seen !== undefined; seen = seen.before)
    if (seen.permit.goneAt !== undefined) seen.permit.leave('at-least')
}

function leaveAll(response: NodeResponse, ending: Ending): void {
  for (let seen = response[SEEN]; seen !== undefined; seen = seen.before) seen.permit.leave(ending)
}

/**
 * What a status tells about latency. A quick error tells nothing, and a slow one, such as a time-out of a pool, that the work took
 * so long at least. A refusal of a limiter never tells anything.
 *
 * @param noted what guards of limiters keep their notes on
 */
export function endingOf(status: number, noted?: object): Ending {
  if (noted !== undefined && bindingOutcome(noted)?.pass === false) return 'drop'
  return status < 400 ? 'sample' : status < 500 ? 'drop' : 'at-least'
}
