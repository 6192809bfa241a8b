import { Controller, Get, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ApiOkResponse, DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { describe, expect, it } from 'vitest'

import { ApiRateLimited } from '../../src/index.ts'

@Controller('a')
class OnHandlers {
  @Get('x')
  @ApiRateLimited()
  @ApiOkResponse({ description: 'fine' })
  x() {}

  @Post('y')
  @ApiRateLimited({ errorFormat: 'problem', statusCode: 420, description: 'Calm down.' })
  y() {}

  @Get('z')
  z() {}
}

@Controller('b')
@ApiRateLimited()
class OnClass {
  @Get('x')
  x() {}
}

@Module({ controllers: [OnHandlers, OnClass] })
class Documented {}

describe('@ApiRateLimited', async () => {
  const { paths } = await documented()
  const refusal = {
    description: 'Too many requests.',
    content: { 'application/json': { schema: { required: ['error', 'message', 'retry_after'] } } },
  }

  it('@ApiRateLimited adds the refusal to the documented responses', () => {
    const { responses } = paths['/a/x']?.get ?? {}
    expect(responses).toMatchObject({ 200: { description: 'fine' }, 429: refusal })
    expect(responses?.['429']).toHaveProperty(['headers', 'Retry-After'])
    expect(Object.keys(paths['/a/z']?.get?.responses ?? {})).toEqual(['200'])
  })

  it('@ApiRateLimited documents another status and format', () => {
    const { responses } = paths['/a/y']?.post ?? {}
    expect(responses).toMatchObject({
      420: { description: 'Calm down.', content: { 'application/problem+json': {} } },
    })
  })

  it('@ApiRateLimited applies to all handlers of a class', () => {
    expect(paths['/b/x']?.get?.responses).toMatchObject({ 200: {}, 429: refusal })
  })
})

async function documented() {
  const app = await NestFactory.create(Documented, { logger: false })
  return SwaggerModule.createDocument(app, new DocumentBuilder().build())
}
