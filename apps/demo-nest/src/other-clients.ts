import { once } from 'node:events'

import { ClientProxyFactory, Transport } from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'
import { WebSocket } from 'ws'

/** Sends a number of messages on a WebSocket, and resolves to their answers. */
export async function say(url: string, times: number): Promise<string[]> {
  const socket = new WebSocket(url)
  const answers: string[] = []
  const all = new Promise<void>(resolve => {
    socket.on('message', data => {
      if (answers.push((data as Buffer).toString()) === times) resolve()
    })
  })
  await once(socket, 'open')
  for (let i = 0; i < times; i++) socket.send(JSON.stringify({ event: 'say', data: `hello ${i + 1}` }))
  await all
  socket.close()
  return answers
}

/** Sends a service a number of messages, one after the other, and resolves to the answers. */
export async function call(port: number, pattern: string, times: number): Promise<string[]> {
  const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } })
  const answers: string[] = []
  for (let i = 1; i <= times; i++) {
    const answer = firstValueFrom(client.send<string>(pattern, `page ${i}`))
    answers.push(await answer.catch((error: unknown) => JSON.stringify(error)))
  }
  await client.close()
  return answers
}
