/**
 * Words that people type and a page does not say, by its route, or by its route and the anchor of the section that answers. A search
 * finds the page by them before all others.
 */
export const PLAIN_WORDS: Readonly<Record<string, string>> = {
  start: 'halt',
  'start#a-first-limit':
    'getting started, quick start, hello world, install, set up, tutorial, throttle, rate limiter, rate limiting',
  'start#in-production': 'shared limit over several servers, instances, cluster, pods',
  concepts: 'glossary, terms, definitions, whose counter, key by user, ip or api key',
  algorithms: 'leaky bucket, gcra, token bucket or sliding window, fixed window, compare',
  'fair-shares': 'noisy neighbour, noisy neighbor, one tenant takes all, starvation, fairness',
  waiting: 'queue, delay, throttle instead of refuse, slow down, priority, backlog',
  overload: 'shed load, too much load, traffic spike, surge, backpressure, 503, adaptive, cpu',
  leases: 'hot key, high throughput, performance, fewer redis calls, batching',
  proxies:
    'x-forwarded-for, real ip, client ip behind a load balancer, trust proxy, cloudflare, nginx, aws alb, wrong ip',
  headers: '429 status, retry-after, x-ratelimit, ratelimit-remaining, error body, custom response, cors',
  'headers#a-refusal':
    '429 retry-after, custom message, custom answer, too many requests, message when limit is reached, error message',
  reliability:
    'redis down, database down, outage, crash, store unavailable, fail open, fail closed, high availability, failover',
  security: 'attack, ddos, dos, bypass, evade, spoof, vulnerability, cve',
  comparison: 'alternatives, versus, vs, which library',
  'limits-of-halt': 'maximum, bounds, cost, price, memory use, benchmark, how fast, speed, latency, overhead',
  privacy: 'gdpr, personal data, delete a user, ip addresses stored, hash',
  'choosing-a-number': 'what limit should i set, how many requests per minute, sensible defaults, calculator',
  quotas: 'monthly quota reset, daily limit, calls per month, calendar, billing period, metering, allowance',
  'quotas#usage-for-your-customers':
    'usage page, show usage to customers, remaining calls, dashboard for users',
  budgets: 'spend, cost, dollars, money, token budget, cap on spending',
  penalties: 'punish, repeat offender, escalate, automatic ban, block after many refusals, tarpit',
  'hierarchical-limits':
    'per tenant limit, multi tenant, organization, workspace, company and user, nested limits, global limit',
  'which-store': 'memory or redis, database, sqlite, mysql, mongodb, dynamodb, memcached',
  redis: 'valkey, ioredis, node-redis, cluster, sentinel, upstash, elasticache, dragonfly, acl',
  postgres: 'postgresql, sql, pgbouncer, supabase, neon, drizzle, prisma',
  telemetry: 'metrics, monitoring, logs, logging, grafana, datadog, alerts, tracing, events',
  testing: 'jest, vitest, mocha, unit test, mock, fake timers, disable in tests',
  'shutdown-and-deploys': 'sigterm, graceful shutdown, kubernetes, rolling deploy, close, drain, restart',
  serverless: 'vercel, lambda, cloud run, edge, cold start',
  workers: 'cloudflare, durable objects, wrangler, kv',
  runbook: 'emergency, on call, incident, customer complains, support',
  'runbook#one-customer': 'customer gets 429, user is rate limited, unblock user, lift a limit',
  'runbook#an-abuser': 'block an ip, block an ip address, blacklist, denylist, scraper, bot, abuse',
  'runbook#everybody': 'everybody gets 429, too many refusals since a deploy',
  'runbook#the-store-is-away': 'redis down now',
  'support-desk': 'find a user, who is limited, reset a counter, unban, free a customer, why was it refused',
  incidents:
    'ban user, ban a client, block list, blocklist, allow list, allowlist, whitelist, override, change a limit without deploy, kill switch',
  'packages/operator': 'admin page, admin ui, dashboard, web ui, live view',
  'packages/cli': 'terminal, command, npx, access log, cli',
  'packages/client':
    'axios, got, undici, call an api, respect rate limits of an api, 429 from an api, client side',
  'packages/express': 'express',
  'packages/fastify': 'fastify',
  'packages/hono': 'hono',
  'packages/nest': 'nest, nestjs',
  'packages/core#ratelimiter': 'RateLimiter, ratelimiter, without a framework',
  'packages/core#reserve-and-settle': 'unknown cost, charge afterwards, estimate',
  troubleshooting:
    'it does not work, not working, never refuses, always 429, debug, everybody shares one counter, localhost, skip, nobody is limited, localhost is not limited, limit is ignored',
  frameworks: 'other framework, which framework, same in all frameworks',
  'adapter-options':
    'skip a route, skip requests, exempt, exclude health check, options of the middleware, whitelist ip, message, exempt admin, skip for admins',
  'recipes/login-protection':
    'login brute force, password guessing, credential stuffing, failed logins, sign in, otp, two factor, reset password',
  'recipes/saas': 'api keys with plans, subscription, pricing tiers, b2b',
  'recipes/per-plan-limits': 'free and pro, tier, different limits per user, dynamic limit, premium',
  'recipes/llm-endpoint': 'tokens per minute, openai, gpt, llm, ai, streaming, completion, chat',
  'recipes/model-clients': 'openai sdk, anthropic sdk, claude',
  'recipes/outgoing-calls': 'third party api, call an api at a rate, requests per second, pace, worker',
  'recipes/webhooks-and-jobs':
    'cron, background job, queue worker, without http, grpc, discord bot, telegram bot',
  'recipes/websockets': 'websocket, ws, messages per second, socket',
  'recipes/socket-io': 'socket.io, chat, room',
  'recipes/concurrency':
    'concurrent requests, parallel, max connections, semaphore, slow requests, in flight, uploads',
  'recipes/shadow-roll-out':
    'dry run, try a limit without blocking, log only, observe, report only, test in production, roll out a new limit safely, rollout',
  'recipes/graphql-cost': 'graphql, apollo, yoga, query complexity, depth',
  'recipes/aws-lambda': 'api gateway, serverless function',
  'recipes/mcp': 'agent, tools, model context protocol',
  'platforms/nextjs': 'next, app router, server action, vercel, middleware',
  'migrate/express-rate-limit': 'windowMs',
  'packages/express#where-to-mount-it': 'limit per route, different limit per route, limit one endpoint',
  'concepts#whose-counter': 'rate limit by api key, limit by user, limit by header, custom key',
  'adapter-options#a-page-of-ones-own-limits': 'how many requests are left',
  'packages/express#requests-that-cost-more': 'expensive request, costs more, weight of a request',
}
