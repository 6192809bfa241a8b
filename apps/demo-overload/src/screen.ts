/** The parts of a terminal, or of a file, that a screen uses. */
export interface Output {
  readonly isTTY?: boolean
  write(text: string): unknown
  hasColors?(): boolean
}

/** Draws pictures one over the other in a terminal. In a file or a pipe only the last one appears. */
export class Screen {
  readonly #output: Output
  #drawn = 0

  constructor(output: Output) {
    this.#output = output
  }

  get isLive(): boolean {
    return this.#output.isTTY === true
  }

  /** Whether the terminal shows colours, and nobody turned them off by `NO_COLOR`. */
  get hasColours(): boolean {
    return this.isLive && this.#output.hasColors?.() === true
  }

  print(line: string): void {
    this.#output.write(`${line}\n`)
  }

  draw(lines: readonly string[]): void {
    if (!this.isLive) return
    if (this.#drawn > 0) this.#output.write(`\u001B[${this.#drawn}A`)
    for (const line of lines) this.#output.write(`\u001B[2K${line}\n`)
    this.#drawn = lines.length
  }

  /** Draws the last picture. What is printed next comes below it. */
  end(lines: readonly string[]): void {
    if (this.isLive) this.draw(lines)
    else for (const line of lines) if (line.trim() !== '') this.print(line)
    this.#drawn = 0
  }
}
