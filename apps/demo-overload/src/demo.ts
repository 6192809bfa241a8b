// npm run demo -- overload    shows a small shop under a surge, without a load shedder and with one
import { fileURLToPath } from 'node:url'

import { Screen } from '@halt/demo-kit/screen'

import { show } from './show.ts'

const lived = await show({
  screen: new Screen(process.stdout),
  script: fileURLToPath(new URL('shop-process.js', import.meta.url)),
  calmMs: 2000,
  surgeMs: 5000,
})
process.exitCode = lived ? 0 : 1
