import { presets } from '@halt/core'
import { HaltGuard, HaltModule, RateLimit, SkipRateLimit } from '../../src/index.ts'
import { Controller, Get, Module, Post } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'

@Controller()
class AppController {
  @Get('data')
  data() {
    return { ok: true }
  }

  @Post('auth/login')
  @RateLimit('auth') // beside the global limit, in one check
  login() {
    return { welcome: true }
  }

  @Get('status')
  @SkipRateLimit()
  status() {
    return { up: true }
  }
}

@Module({
  imports: [
    HaltModule.forRoot({
      policy: presets.PUBLIC_API,
      policies: { auth: presets.AUTH_ENDPOINTS },
      exemptPrivateIps: false,
    }),
  ],
  controllers: [AppController],
  providers: [{ provide: APP_GUARD, useClass: HaltGuard }],
})
export class AppModule {}
