// @ts-check

/** A span of time. @param {number} ms */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** An instant on a clock, with the day if that is not today. @param {number} ms */
export function instant(ms) {
  const date = new Date(ms)
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  if (date.toDateString() === new Date().toDateString()) return time
  return `${date.toLocaleDateString([], { day: 'numeric', month: 'short', year: 'numeric' })}, ${time}`
}

/** A number of milliseconds with a unit. @param {number | undefined} ms */
export function milliseconds(ms) {
  if (ms === undefined) return '–'
  return `${ms < 10 ? ms.toFixed(2) : Math.round(ms)} ms`
}

/** A whole number, with groups of digits. @param {number} n */
export function whole(n) {
  return n.toLocaleString('en').replaceAll(',', '\u202f')
}

/** A number and its noun. @param {number} n @param {string} one @param {string} many */
export function count(n, one, many) {
  return `${whole(n)} ${n === 1 ? one : many}`
}

/** The numbers of an entry: `limit 50, window 1m`. @param {object} numbers */
export function inWords(numbers) {
  return Object.entries(numbers)
    .map(([name, value]) => `${name === 'blockDuration' ? 'cool-down' : name} ${value}`)
    .join(', ')
}
