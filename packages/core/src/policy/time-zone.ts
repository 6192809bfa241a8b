import { describe, HaltError } from '../base/errors.ts'

/** The offset of local time from UTC at an instant, both in milliseconds. */
export type OffsetAt = (ms: number) => number

const DAY = 86_400_000

/** The instant of a local time, as Temporal's "compatible": its first occurrence, or as long after a gap. */
export function instantOf(local: number, offsetAt: OffsetAt): number {
  // No offset exceeds a day, so these two are the offsets before and after any change nearby.
  const before = offsetAt(local - DAY)
  const after = offsetAt(local + DAY)
  if (before === after || offsetAt(local - before) === before) return local - before
  return offsetAt(local - after) === after ? local - after : local - before
}

// One formatter per zone, because each takes tens of kilobytes. Only valid names are added, so the map stays small.
const zones = new Map<string, OffsetAt>([['UTC', () => 0]])

/**
 * Makes the function that tells the offset of a time zone.
 *
 * @throws HaltError `HALT_E_TIME_ZONE`
 */
export function offsetsIn(timeZone: string): OffsetAt {
  const known = zones.get(timeZone)
  if (known) return known
  let format: Intl.DateTimeFormat
  try {
    // Formats the offset ("GMT-04:56:02"), because local fields would bring eras, calendars and 24 o'clock.
    const shown = { year: 'numeric', timeZoneName: 'longOffset' } as const
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', { ...shown, timeZone })
  } catch {
    const mistake = `timeZone is ${describe(timeZone)}, which this runtime does not know.`
    throw new HaltError('HALT_E_TIME_ZONE', mistake, 'Give an IANA name, such as "Europe/Berlin".')
  }
  const offsetAt: OffsetAt = ms => {
    const text = format.format(ms)
    const offset = text.slice(text.lastIndexOf('GMT') + 3)
    const [hours = 0, minutes = 0, seconds = 0] = offset.slice(1).split(':').map(Number)
    return (offset.startsWith('-') ? -1000 : 1000) * ((hours * 60 + minutes) * 60 + seconds)
  }
  zones.set(timeZone, offsetAt)
  return offsetAt
}
