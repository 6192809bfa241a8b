/**
 * An anchor for the quotas of a test that has no manual clock: a period began a minute ago. So none ends during the test, whatever
 * the hour.
 */
export function aMinuteAgo(): Date {
  return new Date(Date.now() - 60_000)
}
