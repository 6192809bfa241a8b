/** An event of a load shedder. */
export type OverloadEventType = 'overload.shedding' | 'overload.calm'

/** The part of a load shedder of `@halt/overload` that is watched. */
export interface WatchedShedder {
  readonly name: string
  on(event: 'shedding' | 'calm', listener: (state: ShedderDetail) => void): () => void
}

/** What a load shedder tells of a limit. */
export interface ShedderDetail {
  readonly route?: string | undefined
  readonly limit: number
  readonly inFlight: number
  readonly ageMs: number
  readonly insideMs: number
  readonly sheds: readonly string[]
  readonly cause?: string | undefined
  readonly sheddingMs: number
  readonly refusedMeanwhile?: number
}

/** The body of a webhook about a load shedder. */
export interface OverloadEvent {
  readonly type: OverloadEventType
  /** When it happened, as ISO 8601. */
  readonly timestamp: string
  readonly data: ShedderDetail & {
    readonly shedder: string
    /** Tells the events of processes apart. */
    readonly id: string
  }
}

/** Makes an event of what a load shedder has told. */
export function overloadEvent(
  type: OverloadEventType,
  shedder: string,
  detail: ShedderDetail,
): OverloadEvent {
  const { route, limit, inFlight, ageMs, insideMs, sheds, cause, sheddingMs, refusedMeanwhile } = detail
  return {
    type,
    timestamp: new Date().toISOString(),
    data: {
      shedder,
      id: globalThis.crypto.randomUUID(),
      ...(route === undefined ? {} : { route }),
      limit,
      inFlight,
      ageMs,
      insideMs,
      sheds,
      ...(cause === undefined ? {} : { cause }),
      sheddingMs,
      ...(refusedMeanwhile === undefined ? {} : { refusedMeanwhile }),
    },
  }
}
