// Asks the language service of TypeScript, as an editor does, what it shows of the installed packages.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))

/**
 * What to ask, at the mark `^` of each text, which is taken out: what the hover says, and what a completion offers.
 * @type {{ code: string, hover?: RegExp, offers?: string[] }[]}
 */
const PLACES = [
  {
    code: 'new RateLimiter({ store, policy: { name: "a", ^limit: 1, window: 1 } })',
    hover: /Units per window/,
  },
  { code: 'express({ policy: { name: "a", limit: 1, window: 1, ^mode: "shadow" } })', hover: /only reports/ },
  { code: 'new RateLimiter({ store, ^policy: presets.PUBLIC_API })', hover: /several policies/ },
  { code: 'express({ policy: presets.PUBLIC_API, ^skip: () => true })', hover: /not counted at all/ },
  { code: 'presets.^PUBLIC_API', hover: /100 requests per minute/ },
  {
    code: 'hono({ policy: presets.PUBLIC_API, ^onLimited: () => new Response() })',
    hover: /Answers a refused/,
  },
  { code: 'fetchHalt({ policy: presets.PUBLIC_API, ^skip: () => true })', hover: /not counted at all/ },
  { code: '^HaltModule.forRoot({ policy: presets.PUBLIC_API })', hover: /Rate limiting for a Nest/ },
  { code: 'new RedisStore({ ^client: {} })', hover: /ioredis or node-redis/ },
  { code: 'decision.^reason', hover: /cost-exceeds-limit/ },
  {
    code: 'express({ policy: { name: "a", limit: 1, window: 1, keyStrategy: "^" } })',
    offers: ['ip', 'user', 'api-key', 'shared'],
  },
  { code: 'getPlanPolicy("^")', offers: ['free', 'pro', 'enterprise'] },
  { code: 'silence("^")', offers: ['HALT_W_PRIVATE_EXEMPT', 'HALT_W_CALLBACK'] },
  {
    code: 'express({ policy: presets.PUBLIC_API, trustedProxies: ["^"] })',
    offers: ['cloudflare', 'loopback'],
  },
]

const HEAD = `import { type Decision, getPlanPolicy, presets, RateLimiter, silence } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { halt as express } from '@halt/express'
import { halt as hono } from '@halt/hono'
import { halt as fetchHalt } from '@halt/fetch'
import { HaltModule } from '@halt/nest'
declare const decision: Decision
const store = new InMemoryStore()
`

/** @param {string} installed where the packages are installed */
export async function checkEditor(installed) {
  // A folder of its own, because other checks would read its tsconfig.json.
  const folder = join(installed, 'editor')
  mkdirSync(folder)
  const file = join(folder, 'editor.mts')
  const text = HEAD + PLACES.map(({ code }) => code.replace('^', '')).join('\n')
  writeFileSync(file, text)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { module: 'nodenext', strict: true, noEmit: true },
      files: ['editor.mts'],
    }),
  )
  const server = startServer(folder)
  try {
    const uri = pathToFileURL(file).href
    await server.open(uri, text)
    const wrong = []
    for (const [index, { code, hover, offers = [] }] of PLACES.entries()) {
      const position = { line: HEAD.split('\n').length - 1 + index, character: code.indexOf('^') }
      const at = { textDocument: { uri }, position }
      if (hover !== undefined) {
        const said = JSON.stringify(await server.ask('textDocument/hover', at))
        if (!hover.test(said)) wrong.push(`${code} shows ${said}, not ${hover}.`)
      }
      if (offers.length === 0) continue
      const answer = await server.ask('textDocument/completion', at)
      const labels = (answer?.items ?? answer ?? []).map(
        (/** @type {{ label: string }} */ item) => item.label,
      )
      const missing = offers.filter(offer => !labels.includes(offer))
      if (missing.length > 0) wrong.push(`${code} does not offer ${missing.join(', ')}.`)
    }
    if (wrong.length > 0) throw new Error(wrong.join('\n'))
  } finally {
    server.end()
  }
}

/** Starts the language service, which speaks JSON-RPC. @param {string} folder */
function startServer(folder) {
  const child = spawn(process.execPath, [TSC, '--lsp', '--stdio'], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map()
  let buffer = Buffer.alloc(0)
  let number = 0
  child.stdout.on('data', chunk => {
    buffer = Buffer.concat([buffer, chunk])
    for (;;) {
      const head = buffer.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/.exec(buffer.subarray(0, head + 1).toString())?.[1])
      if (head < 0 || buffer.length < head + 4 + length) return
      const message = JSON.parse(buffer.subarray(head + 4, head + 4 + length).toString())
      buffer = buffer.subarray(head + 4 + length)
      receive(message)
    }
  })
  child.on('exit', code => {
    for (const { reject } of waiting.values()) reject(new Error(`The language service ended with ${code}.`))
  })

  /** @param {{ id?: number, method?: string, params?: any, result?: any, error?: { message: string } }} message */
  function receive({ id, method, params, result, error }) {
    if (method !== undefined) {
      // The server asks for settings, and wants an answer to go on.
      if (id !== undefined) send({ id, result: params?.items?.map(() => null) ?? null })
      return
    }
    const asked = waiting.get(id ?? -1)
    waiting.delete(id ?? -1)
    if (error === undefined) asked?.resolve(result)
    else asked?.reject(new Error(error.message))
  }

  /** @param {object} message */
  function send(message) {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  }

  /** @param {string} method @param {object} params @returns {Promise<any>} */
  function ask(method, params) {
    const id = ++number
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      send({ id, method, params })
    })
  }

  return {
    ask,
    /** Opens a file. @param {string} uri @param {string} text */
    async open(uri, text) {
      const rootUri = pathToFileURL(folder).href
      await ask('initialize', { processId: process.pid, rootUri, capabilities: {}, workspaceFolders: null })
      send({ method: 'initialized', params: {} })
      const textDocument = { uri, languageId: 'typescript', version: 1, text }
      send({ method: 'textDocument/didOpen', params: { textDocument } })
    },
    end: () => void child.kill('SIGKILL'),
  }
}
