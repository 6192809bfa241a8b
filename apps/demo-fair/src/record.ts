import type { Served, Told } from './asking.ts'

/** What tenants asked for and got, and when. Times are milliseconds of the clock of all processes. */
export class Record {
  readonly #heard: (Served & { readonly at: number })[] = []

  #stoodStill = 0

  /** The longest that a process or the store was late. */
  get stoodStill(): number {
    return this.#stoodStill
  }

  /** Notes what a process tells. */
  note({ at, served, stoodStill }: Told): void {
    for (const one of served) this.#heard.push({ ...one, at })
    this.#stoodStill = Math.max(this.#stoodStill, stoodStill)
  }

  /** The sums of a tenant between two instants; of all tenants without a name. */
  of(tenant: string | undefined, from = 0, to = Infinity): { readonly asked: number; readonly got: number } {
    let [asked, got] = [0, 0]
    for (const one of this.#heard) {
      if ((tenant !== undefined && one.tenant !== tenant) || one.at < from || one.at >= to) continue
      asked += one.asked
      got += one.got
    }
    return { asked, got }
  }

  /** What a tenant asked for and got in a second, as the mean of the time between two instants. */
  rateOf(tenant: string, from: number, to: number): { readonly asked: number; readonly got: number } {
    const { asked, got } = this.of(tenant, from, to)
    const seconds = (to - from) / 1000
    return { asked: asked / seconds, got: got / seconds }
  }
}

/** Jain's index of fairness: 1 if all get the same. */
export function jain(amounts: readonly number[]): number {
  const sum = amounts.reduce((a, b) => a + b, 0)
  return sum ** 2 / (amounts.length * amounts.reduce((a, b) => a + b * b, 0))
}
