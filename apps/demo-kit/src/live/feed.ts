import type { BucketLevel } from './bucket.ts'
import type { KeyMask } from './key-mask.ts'
import type { Recording } from './recorder.ts'

/** The data that the page fetches once per second while it is visible. Times are Unix milliseconds. */
export interface Feed extends Recording {
  readonly now: number
  readonly bucket: BucketLevel
}

/** Converts a recording for the page, with keys as digests. */
export function feedOf(recording: Recording, bucket: BucketLevel, mask: KeyMask, now: number): Feed {
  return {
    now,
    counts: recording.counts,
    policies: recording.policies.map(tally => ({ ...tally, key: mask.hide(tally.key) })),
    refusedKeys: recording.refusedKeys.map(top => ({ ...top, key: mask.hide(top.key) })),
    store: recording.store,
    events: recording.events.map(event => ({ ...event, key: event.key && mask.hide(event.key) })),
    bucket,
  }
}
