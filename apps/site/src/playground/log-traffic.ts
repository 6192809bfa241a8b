import { detectFormat, type LoggedRequest, readerOf } from '@halt/cli/log'

import type { Arrival, TrafficSource } from './arrival.ts'

/** The lines by which the format is found, as the command `halt replay` finds it. */
const SAMPLE = 20

/**
 * Reads the requests of a pasted access log. Lines that are older than the line before them come at the latest instant so far, as
 * in `halt replay`.
 */
export function logTraffic(text: string): TrafficSource {
  const lines = text.split(/\r?\n/).filter(line => line !== '')
  const format = detectFormat(lines.slice(0, SAMPLE))
  if (format === undefined) return { start: 0, arrivals: [].values(), notes: [unknown(lines.length)] }
  const requests = lines.map(readerOf(format)).filter(request => request !== undefined)
  const start = requests[0]?.at ?? 0
  const skipped = lines.length - requests.length
  return {
    start,
    arrivals: arrivalsOf(requests, start).values(),
    notes: [
      `${requests.length} requests in the format ${format}.`,
      ...(skipped > 0 ? [`${skipped} lines could not be read, so they are left out.`] : []),
    ],
  }
}

function arrivalsOf(requests: readonly LoggedRequest[], start: number): Arrival[] {
  let latest = 0
  return requests.map(view => {
    latest = Math.max(latest, Math.round((view.at - start) * 1000))
    return { at: latest, client: view.user?.id ?? view.ip ?? 'unknown', view }
  })
}

function unknown(lines: number): string {
  return lines === 0
    ? 'Paste lines of an access log: nginx, Apache, Caddy, Cloudflare, an AWS load balancer, or JSON.'
    : 'None of the first lines can be read. Paste an access log of nginx, Apache, Caddy, Cloudflare, an AWS load balancer, or JSON.'
}
