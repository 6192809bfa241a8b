/** How many multiples of each divisor are tried. The limit under a penalty has to fit as well. */
const TRIES = 12
/** The largest debt of a full bucket. */
const MOST_DEBT = Number.MAX_SAFE_INTEGER / 2

/**
 * Finds the greatest limit below `limit` that a bucket can count exactly. Undefined if none was found.
 *
 * A multiple of a divisor of the window has a unit of at most window / divisor. So it is enough to try the multiples of each
 * divisor.
 *
 * @param window microseconds
 * @param mostUnit the largest unit that the burst allows; undefined if the burst is the limit itself
 */
export function nextLower(
  limit: number,
  window: number,
  mostUnit: number | undefined,
  isExact: (limit: number) => boolean,
): number | undefined {
  const candidates: number[] = []
  for (const divisor of divisorsOf(window)) {
    if (mostUnit !== undefined && window / divisor > mostUnit) continue
    const most = mostUnit === undefined ? Math.floor(MOST_DEBT / window) : Number.POSITIVE_INFINITY
    const times = Math.min(Math.floor((limit - 1) / divisor), most)
    for (let i = 0; i < TRIES && i < times; i++) candidates.push(divisor * (times - i))
  }
  return candidates.sort((a, b) => b - a).find(isExact)
}

/** The greatest common divisor of two whole numbers. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

function divisorsOf(whole: number): number[] {
  let divisors = [1]
  let rest = whole
  for (let prime = 2; rest > 1; prime++) {
    if (prime * prime > rest) prime = rest
    let power = 1
    const before = divisors
    while (rest % prime === 0) {
      rest /= prime
      power *= prime
      const times = power
      divisors = [...divisors, ...before.map(divisor => divisor * times)]
    }
  }
  return divisors
}
