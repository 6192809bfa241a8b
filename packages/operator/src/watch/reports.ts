import type { StoreDocument } from '@halt/core/store'

interface Report {
  readonly process: string
  readonly at: number
  readonly text: string
}
const ATTEMPTS = 8
const KEPT_MS = 60_000

export class Reports {
  readonly #document: StoreDocument
  readonly #process: string
  constructor(document: StoreDocument, process: string) {
    this.#document = document
    this.#process = process
  }
  async read(): Promise<readonly Report[]> {
    return parse((await this.#document.read())?.text ?? '')
  }
  async publish(text: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await this.#document.read()
      const at = Date.now()
      const others = parse(found?.text ?? '').filter(
        each => each.process !== this.#process && Math.abs(at - each.at) < KEPT_MS,
      )
      const next = JSON.stringify([...others, { process: this.#process, at, text }])
      if ((await this.#document.write(next, found?.version ?? 0)) !== undefined) return
    }
  }
}
function parse(text: string): Report[] {
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) ? (list as Report[]) : []
  } catch {
    return []
  }
}
