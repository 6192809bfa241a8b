import { RateLimit } from '@halt/nest'
import { MessageBody, SubscribeMessage, WebSocketGateway, type WsResponse } from '@nestjs/websockets'

import { MESSAGES } from './policies.ts'

/** The WebSocket at `/chat`. */
@WebSocketGateway({ path: '/chat' })
@RateLimit(MESSAGES, { override: true })
export class ChatGateway {
  @SubscribeMessage('say')
  say(@MessageBody() text: string): WsResponse<string> {
    return { event: 'said', data: text }
  }
}
