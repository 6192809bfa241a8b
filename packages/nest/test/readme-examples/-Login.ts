import { presets } from '@halt/core'
import { HaltGuard, HaltModule, RateLimit } from '../../src/index.ts'
import { Body, Controller, HttpCode, Module, Post, UnauthorizedException } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'

@Controller()
class AuthController {
  @Post('auth/login')
  @HttpCode(200)
  @RateLimit('auth')
  login(@Body('password') password: string) {
    if (password !== 'correct horse') throw new UnauthorizedException()
    return { welcome: true }
  }
}

@Module({
  imports: [
    HaltModule.forRoot({
      policies: { auth: presets.AUTH_ENDPOINTS },
      chargeWhen: ({ statusCode }, context) => context.getClass() !== AuthController || statusCode === 401,
    }),
  ],
  controllers: [AuthController],
  providers: [{ provide: APP_GUARD, useClass: HaltGuard }],
})
export class AppModule {}
