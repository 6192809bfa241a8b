import { BACKEND, type Tenant, TENANTS } from './tenants.ts'

/** How words are coloured. `plain` leaves them as they are. */
export interface Paint {
  (text: string, tenant: number): string
}

/** No colours: for files, pipes and `NO_COLOR`. */
export const plain: Paint = text => text

const COLOURS = [31, 33, 35, 36, 32, 34]

/** One colour for each tenant, as ANSI codes. */
export const coloured: Paint = (text, tenant) => `\u001B[${COLOURS[tenant % COLOURS.length]}m${text}\u001B[0m`

/** What a picture shows. */
export interface Scene {
  /** What a tenant asks for and gets in a second. */
  readonly rateOf: (tenant: Tenant) => { readonly asked: number; readonly got: number }
  /** The most columns of a bar. A bar of all columns is the whole limit. */
  readonly columns: number
  /** A line of the limiter about the shares. */
  readonly line: string | undefined
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** Draws what each tenant gets now, as bars. */
export function picture({ rateOf, columns, line }: Scene, paint: Paint = plain): string[] {
  const rows = TENANTS.map((tenant, i) => {
    const { asked, got } = rateOf(tenant)
    const weight = tenant.weight === 1 ? '  ' : `×${tenant.weight}`
    const figures = `asks ${number(asked)}  gets ${number(got)}  `
    return `${paint(tenant.name.padEnd(6), i)} ${weight}  ${figures}${paint(bar(got / BACKEND.limit, columns), i)}`
  })
  return [...rows, line ?? '']
}

function number(perSecond: number): string {
  return `${Math.round(perSecond)}/s`.padStart(6)
}

function bar(share: number, columns: number): string {
  const eighths = Math.round(Math.min(1, share) * columns * 8)
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]
}
