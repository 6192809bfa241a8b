import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { run } from '../src/index.ts'

const require = createRequire(import.meta.url)

/** What a run of the command wrote. */
export interface HaltRun {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command in this process. */
export async function halt(
  args: readonly string[],
  {
    stdin = '',
    env = {},
    cwd = '/',
    isTTY = false,
  }: { stdin?: string; env?: Record<string, string>; cwd?: string; isTTY?: boolean } = {},
): Promise<HaltRun> {
  const [out, err] = [sink(isTTY), sink(isTTY)]
  const io = {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: out.stream,
    stderr: err.stream,
    env,
    cwd,
    require,
  }
  const code = await run(args, io)
  return { code, out: out.text(), err: err.text() }
}

/** Policies as the source of a limits file. JSON has no dates. */
export function sourceOf(policies: unknown): string {
  return JSON.stringify(policies).replaceAll(/"anchor":("[^"]+")/g, '"anchor":new Date($1)')
}

/** A folder with files, which is removed after the test. */
export function folderWith(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'halt-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}

/** A line of a combined log. `at` is in seconds after midnight of 24 November 2026. */
export function combined(at: number, ip: string, user = '-'): string {
  const time = new Date(Date.UTC(2026, 10, 24) + at * 1000).toISOString().slice(11, 19)
  return `${ip} - ${user} [24/Nov/2026:${time} +0000] "GET /a?b=c HTTP/1.1" 200 12 "-" "curl/8"\n`
}

function sink(isTTY: boolean): { readonly stream: Writable & { isTTY: boolean }; text(): string } {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk: unknown, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  return { stream: Object.assign(stream, { isTTY }), text: () => chunks.join('') }
}
