// The Prometheus queries of the published dashboard and alert rules.
import { readFileSync } from 'node:fs'

interface Panel {
  readonly type: string
  readonly title: string
  readonly id: number
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

/** The dashboard, as Grafana reads it. */
export interface Dashboard {
  readonly id: null
  readonly uid: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] }
}

/** The dashboard's file. */
export const dashboard: Dashboard = JSON.parse(read('grafana/halt.json')) as Dashboard

/** The path of the alerts' file. */
export const RULES: string = new URL('../prometheus/halt.rules.yml', import.meta.url).pathname

/** The alerts' file. */
export const rules: string = read('prometheus/halt.rules.yml')

/** Every query of the dashboard, by panel and legend. */
export const queries: readonly (readonly [name: string, query: string])[] = dashboard.panels.flatMap(
  ({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => [`${title}: ${legendFormat}`, expr] as const),
)

/** A query with values instead of the dashboard's variables. */
export function filled(query: string, interval: string): string {
  return query
    .replaceAll('$__rate_interval', interval)
    .replaceAll('"$job"', '".+"')
    .replaceAll('"$policy"', '".+"')
}

/** The metrics that a query names. */
export function metricsIn(query: string): string[] {
  return [...query.matchAll(/\bhalt_\w+/g)].map(([name]) => name)
}

function read(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
}
