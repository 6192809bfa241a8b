// The document that holds the reports of all processes.
import { MAX_DOCUMENT } from '@halt/core/gate'
import { isObject, isText } from '../read-values.ts'

/** The report of one process. */
export interface ProcessReport {
  /** An id that the process drew by lot, so that no two processes share one. */
  readonly process: string
  /** When the process wrote the report, by its own clock. Unix milliseconds. */
  readonly at: number
  /** The report itself, in a form that its writer chooses. At most 16 000 characters. */
  readonly text: string
}

/** The most processes whose reports are kept. */
const MAX_PROCESSES = 64
/** The longest report, in characters as JSON writes them. */
export const MAX_REPORT = 16_000
const LONGEST_ID = 64
// The version of the form. A document of another version is replaced.
const FORM = 1

/** Whether a report is short enough to be shared. */
export function fitsReport(text: string): boolean {
  return text.length <= MAX_REPORT && JSON.stringify(text).length <= MAX_REPORT
}

/** Writes reports. Keeps the latest ones if there are too many. */
export function writeReports(reports: readonly ProcessReport[]): string {
  let kept = reports.toSorted((a, b) => b.at - a.at).slice(0, MAX_PROCESSES)
  for (;;) {
    const text = JSON.stringify({ halt: FORM, reports: kept })
    if (text.length <= MAX_DOCUMENT) return text
    kept = kept.slice(0, -1)
  }
}

/** Reads reports. A broken document, or one of another version, counts as empty. Broken reports are left out. */
export function readReports(text: string): readonly ProcessReport[] {
  try {
    const document = JSON.parse(text) as { halt?: unknown; reports?: unknown } | null
    if (document?.halt !== FORM || !Array.isArray(document.reports)) return []
    return document.reports.filter(isReport).slice(0, MAX_PROCESSES)
  } catch {
    return []
  }
}

function isReport(report: unknown): report is ProcessReport {
  if (!isObject(report)) return false
  const { process, at, text } = report
  return (
    isText(process, LONGEST_ID) &&
    Number.isFinite(at) &&
    typeof text === 'string' &&
    text.length <= MAX_REPORT
  )
}
