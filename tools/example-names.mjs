// The names that the examples of docs/errors use without saying where they come from. Each such example is a part of a file.

/** What an example imports, by the package that exports it. @type {Readonly<Record<string, readonly string[]>>} */
const EXPORTS = {
  '@halt/core': [
    'Algorithm',
    'definePolicy',
    'getPlanPolicy',
    'KeyStrategy',
    'llmBudget',
    'llmCost',
    'PenaltyManager',
    'PolicyRegistry',
    'presets',
    'priceOf',
    'QuotaManager',
    'QuotaPeriod',
    'RateLimiter',
    'silence',
    'usd',
  ],
  '@halt/ai-sdk': ['budget'],
  '@halt/tools': ['guardTools'],
  '@halt/cli': ['run'],
  '@halt/control': ['Control'],
  '@halt/core/store': ['casStore'],
  '@halt/operator': ['operator'],
  '@halt/overload': ['loadShedder'],
  '@halt/store-durable-objects': ['DurableObjectStore'],
  '@halt/store-memory': ['InMemoryStore'],
  '@halt/store-postgres': ['PostgresStore', 'schema'],
  '@halt/store-redis': ['RedisStore'],
  '@halt/store-sqlite': ['SqliteStore'],
  '@halt/telemetry-prometheus': ['PrometheusTelemetry'],
  '@halt/telemetry-webhook': ['WebhookTelemetry'],
  '@nestjs/common': ['Controller', 'Get', 'Module', 'UseGuards'],
  '@nestjs/core': ['APP_GUARD'],
  '@nestjs/websockets': ['SubscribeMessage', 'WebSocketGateway'],
  fastify: ['type FastifyRequest'],
  'node:http': ['createServer'],
  ioredis: ['Redis', 'Cluster'],
  'prom-client': ['Registry'],
  redis: ['createClient'],
}

const KEYS = "import('@halt/core/store').CasBackend<unknown>"
const REDIS = "import('ioredis').Redis"
const CLASS = 'new () => object'
const HANDLER = '((req: unknown, res: { end(): unknown }) => void) & ((request: Request) => Response)'

/** The types of what an application has made before. @type {Readonly<Record<string, string>>} */
const VALUES = {
  admin: REDIS,
  AppController: CLASS,
  AuthGuard: CLASS,
  call: "import('@halt/core').Reservation",
  CatsController: CLASS,
  client: REDIS,
  cluster: "import('ioredis').Cluster",
  complete: '(prompt: string) => Promise<{ tokens: number }>',
  control: "import('@halt/control').Control",
  Database: "typeof import('better-sqlite3')",
  encode: '(text: string) => number[]',
  env: "{ readonly HALT: import('@halt/store-durable-objects').DurableObjectStoreOptions['namespace'] }",
  ExportsController: CLASS,
  full: REDIS,
  handler: HANDLER,
  hangingStore: "import('@halt/core').Store",
  identity: "import('@halt/core').Identity",
  io: "import('@halt/cli').CliIo",
  isKnown: '(key: string) => Promise<boolean>',
  limiter: "import('@halt/core').RateLimiter",
  login: HANDLER,
  nearby: REDIS,
  nearbyStore: "import('@halt/core').Store",
  perUserAndAddress: "import('@halt/core').Policy[]",
  policy: "import('@halt/core').Policy",
  pool: "import('pg').Pool",
  price: '(use: { input?: number | undefined; output?: number | undefined }) => number',
  primary: REDIS,
  prompt: 'string',
  read: `${KEYS}['read']`,
  remove: `${KEYS}['remove']`,
  request: "import('express').Request",
  reset: HANDLER,
  response: '{ readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } }',
  secret: 'string',
  server: "{ readonly process: import('node:child_process').ChildProcess }",
  store: "import('@halt/store-redis').RedisStore",
  swap: `${KEYS}['swap']`,
  tierOf: "(request: import('fastify').FastifyRequest) => 'critical' | 'normal' | 'batch'",
}

/** What the frameworks name alike, by a word that only the examples of that framework have. The last one is Express. */
const FRAMEWORKS = [
  { word: /app\.register|setErrorHandler/, from: '@halt/fastify', app: "import('fastify').FastifyInstance" },
  { word: /getConnInfo|\bc =>/, from: '@halt/hono', app: "import('hono').Hono" },
  {
    word: /@Module|HaltModule|@RateLimit|HaltGuard/,
    from: '@halt/nest',
    app: "import('@nestjs/common').INestApplication",
  },
  { word: /./, from: '@halt/express', app: "import('express').Express" },
]
const OF_FRAMEWORKS = ['halt', 'drain', 'HaltGuard', 'HaltModule', 'RateLimit', 'SkipRateLimit']

/** Imports and declarations of the names that an example uses and does not have. @param {string} code */
export function declarationsFor(code) {
  const text = code.replaceAll(/'[^'\n]*'/g, "''").replaceAll(/\/\/.*/g, '')
  /** @param {string} name */
  const isUsed = name => new RegExp(`(?<=^|\\.{3}|[^.\\w])${name}\\b(?!\\??:)`).test(text)
  /** @param {string} name */
  const isOwn = name =>
    new RegExp(`\\b(?:const|let|function|class|import)\\b(?:(?! of )[^=\\n;])*\\b${name}\\b`).test(text)
  /** @param {string} name */
  const isMissing = name => isUsed(name) && !isOwn(name)
  const framework = FRAMEWORKS.find(({ word }) => word.test(code))
  const exports = Object.entries({ ...EXPORTS, [framework?.from ?? '']: OF_FRAMEWORKS })
  const imports = exports.flatMap(([from, names]) =>
    names
      .filter(name => isMissing(name.replace('type ', '')))
      .map(name => `import { ${name} } from '${from}'`),
  )
  const values = Object.entries({ ...VALUES, app: framework?.app ?? '' })
    .filter(([name]) => isMissing(name))
    .map(([name, type]) => `declare const ${name}: ${type}`)
  return [...imports, ...values].join('; ')
}
