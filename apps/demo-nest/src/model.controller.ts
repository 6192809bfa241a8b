import { Readable } from 'node:stream'

import type { RateLimiter } from '@halt/core'
import { headerWriter } from '@halt/core/http'
import { Completion, estimate, promptOf, STREAM_HEADERS } from '@halt/demo-kit'
import { InjectRateLimiter, sendLimited, SkipRateLimit } from '@halt/nest'
import { Body, Controller, HttpCode, Post, Req, Res, StreamableFile } from '@nestjs/common'
import type { Request, Response } from 'express'

import { OF_USERS } from './api.controller.ts'

/** The model, paid by token. */
@Controller()
export class ModelController {
  @InjectRateLimiter('model') readonly model!: RateLimiter

  /**
   * Streams an answer: reserves an estimate first, and settles the tokens used at the end. Nest also ends the completion
   * when the client leaves.
   */
  @Post('complete')
  @HttpCode(200)
  @SkipRateLimit(...OF_USERS)
  async complete(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    @Body() body: unknown,
  ): Promise<StreamableFile> {
    const prompt = promptOf(body)
    const reservation = await this.model.reserve(request, { cost: estimate(prompt) })
    response.set(headerWriter('openai', this.model)(reservation.decision))
    if (!reservation.decision.allowed) sendLimited(response, reservation.decision)
    response.set(STREAM_HEADERS)
    return new StreamableFile(Readable.from(new Completion(prompt, reservation)), {
      type: STREAM_HEADERS['Content-Type'],
    })
  }
}
