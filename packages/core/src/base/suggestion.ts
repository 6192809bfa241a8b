/** The known name that a misspelt name most likely means; undefined when none is close. */
function suggest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  const [closest] = known
    .map(other => ({ other, distance: edits(wanted, other.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  if (closest !== undefined && closest.distance <= (wanted.length < 6 ? 1 : 2)) return closest.other
  return wanted.length < 4
    ? undefined
    : known.find(other => other.toLowerCase().startsWith(wanted.slice(0, 4)))
}

/** The edit distance of two words: insertions, deletions, substitutions, and swaps of neighbouring letters. */
function edits(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + same,
        swapped ? (before[j - 2] as number) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    ;[before, last] = [last, row]
  }
  return last[b.length] as number
}

/** The names that other limiters use for an option, by our name for it. */
const NAMES_ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  window: ['windowMs', 'timeWindow', 'duration', 'interval', 'ttl', 'minTime'],
  limit: ['max', 'points', 'limiter', 'tokens', 'requests', 'rate', 'tokensPerInterval', 'reservoir'],
  cost: ['weight', 'points', 'tokens'],
  maxWait: ['timeout', 'maxDelay', 'maxDelayMs'],
  keyExtractor: ['keyGenerator', 'generateKey', 'keyFn', 'getTracker'],
  onLimited: ['handler', 'message', 'errorMessage', 'errorResponseBuilder', 'onExceeded', 'onLimitReached'],
  chargeWhen: ['skipSuccessfulRequests', 'skipFailedRequests', 'requestWasSuccessful'],
  exemptions: ['allowList', 'whitelist', 'ignoreRoutes'],
  skip: ['skipIf', 'allowList', 'whitelist', 'ignoreRoutes'],
  onStoreError: ['passOnStoreError', 'skipOnError', 'insuranceLimiter'],
  store: ['redis', 'client', 'storeClient', 'storage', 'datastore'],
  headers: ['standardHeaders', 'legacyHeaders', 'setHeaders', 'addHeaders'],
  policies: ['throttlers', 'limiters'],
  client: ['redis', 'url', 'storeClient', 'sendCommand'],
  maxKeys: ['max', 'maxSize', 'size'],
  prefix: ['keyPrefix', 'nameSpace'],
  mode: ['shadow', 'dryRun'],
}

/** Says which known option an unknown name probably means, as the fix of an error. */
export function hintFor(name: string, known: readonly string[]): string {
  const here = known.find(other => NAMES_ELSEWHERE[other]?.includes(name))
  if (here === 'window') return 'Use "window", in seconds or as "500ms".'
  if (here !== undefined) return `Use "${here}".`
  const near = suggest(name, known)
  return near === undefined ? `Known: ${[...new Set(known)].join(', ')}.` : `Did you mean "${near}"?`
}
