import Fastify = require('fastify')
import { halt, type HaltOptions } from '@halt/fastify'
const options: HaltOptions = { policy: { name: 'a', limit: 1, window: 60 } }
const app = Fastify()
void app.register(halt, options)
app.get('/', { preHandler: app.halt(), config: { halt: false } }, request => request.halt?.remaining)
