import { createApp } from 'vue'

import { Playground } from './view/playground.ts'

// The playground alone on a page, without the site around it.
createApp(Playground).mount('#playground')
