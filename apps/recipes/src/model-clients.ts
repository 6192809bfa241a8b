import Anthropic from '@anthropic-ai/sdk'
import { priceOf, RateLimiter, usd } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { once } from 'node:events'
import { createServer } from 'node:http'
import OpenAI from 'openai'

const MOST = 1000 // the longest answer that you allow, in tokens
const AHEAD = 50 // tokens that are paid before the model makes them

interface Usage {
  readonly input: number
  readonly cached: number
  readonly output: number
}

/** A part of an answer: some text, or the usage of the whole answer. */
interface Part {
  readonly text?: string
  readonly usage?: Usage
}

const openai = new OpenAI() // OPENAI_API_KEY
async function* askOpenAI(prompt: string, signal: AbortSignal): AsyncGenerator<Part> {
  const stream = await openai.chat.completions.create(
    {
      model: 'gpt-5-mini',
      messages: [{ role: 'user', content: prompt }],
      max_completion_tokens: MOST,
      stream: true,
      stream_options: { include_usage: true }, // otherwise a stream reports none
    },
    { signal },
  )
  for await (const { choices, usage } of stream) {
    const text = choices[0]?.delta.content
    if (text) yield { text }
    if (!usage) continue
    // The cached tokens are a part of the prompt's.
    const cached = usage.prompt_tokens_details?.cached_tokens ?? 0
    yield { usage: { input: usage.prompt_tokens - cached, cached, output: usage.completion_tokens } }
  }
}

const anthropic = new Anthropic() // ANTHROPIC_API_KEY
async function* askAnthropic(prompt: string, signal: AbortSignal): AsyncGenerator<Part> {
  const stream = await anthropic.messages.create(
    {
      model: 'claude-haiku-4-5',
      messages: [{ role: 'user', content: prompt }],
      max_tokens: MOST,
      stream: true,
    },
    { signal },
  )
  let input = 0
  let cached = 0
  for await (const event of stream) {
    if (event.type === 'message_start') {
      // The cached tokens are beside the input.
      input = event.message.usage.input_tokens
      cached = event.message.usage.cache_read_input_tokens ?? 0
    } else if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
      yield { text: event.delta.text }
    // The output is counted from the beginning of the answer.
    else if (event.type === 'message_delta')
      yield { usage: { input, cached, output: event.usage.output_tokens } }
  }
}

// Dollars per million tokens, from your providers' lists.
const models = {
  '/openai': { ask: askOpenAI, price: priceOf({ input: 0.25, cached: 0.025, output: 2 }) },
  '/anthropic': { ask: askAnthropic, price: priceOf({ input: 1, cached: 0.1, output: 5 }) },
}

const limiter = new RateLimiter({
  store: new InMemoryStore(), // Redis or PostgreSQL where several processes share the budget
  policy: { name: 'team_day', limit: usd(0.01), period: 'daily', unit: 'usd-micro', status: 402 },
})

// Stands for a tokenizer: about four letters make a token.
const tokensOf = (text: string): number => Math.ceil(text.length / 4)

const server = createServer((req, res) => {
  void (async () => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://localhost')
    const { ask, price } = models[pathname === '/openai' ? '/openai' : '/anthropic']
    const prompt = searchParams.get('prompt') ?? ''
    const input = tokensOf(prompt)
    const team = { user: String(req.headers['x-team']) } // stands for your authentication
    const call = await limiter.reserve(team, { cost: price({ input, output: MOST }), ttl: '2m' })
    if (!call.decision.allowed || !(await call.charge(price({ input, output: AHEAD })))) {
      await call.cancel()
      const { reason, policy, retryAfter } = call.refusal ?? call.decision
      return reason === 'held' // by calls that run, which may end soon
        ? res.writeHead(429, { 'Retry-After': retryAfter }).end(`Others hold the rest of ${policy}.`)
        : res.writeHead(402).end(`The budget ${policy} is used up.`)
    }

    const left = new AbortController()
    res.on('close', () => left.abort())
    let output = 0
    let used: Usage | undefined
    try {
      for await (const { text = '', usage } of ask(prompt, AbortSignal.any([call.signal, left.signal]))) {
        used = usage ?? used
        output += tokensOf(text)
        // False: a budget is gone. Leaving the loop ends the request to the provider.
        if (!(await call.charge(price({ output: tokensOf(text) })))) break
        if (!res.write(text)) await once(res, 'drain', { signal: left.signal })
      }
      res.end()
    } catch {
      res.destroy() // the provider failed, or the client has left
    } finally {
      if (used !== undefined) await call.settle(price({ ...used }))
      else if (output > 0 || left.signal.aborted) await call.settle(price({ input, output }))
      else await call.cancel() // the provider failed
    }
  })()
})
server.listen(3004)
