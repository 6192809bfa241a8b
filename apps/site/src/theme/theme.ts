import type { Theme } from 'vitepress'
import { enhanceAppWithTabs } from 'vitepress-plugin-tabs/client'
import DefaultTheme, { VPHomeFeatures, VPHomeHero } from 'vitepress/theme-without-fonts'
import { defineAsyncComponent, h } from 'vue'

import { ErrorFinder } from './error-finder.ts'
import { NotFound } from './not-found.ts'
import { Sandbox } from './sandbox.ts'
import { TwinLink } from './twin-link.ts'
import '../playground/style.css'
import '../search/style.css'
import './style.css'

// Only the page of the playground loads it, with the packages that it runs.
const Playground = defineAsyncComponent(
  async () => (await import('../playground/view/playground.ts')).Playground,
)

/** The default theme of VitePress with the components that pages of this site use. */
export const theme: Theme = {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, { 'doc-footer-before': () => h(TwinLink), 'not-found': () => h(NotFound) }),
  enhanceApp({ app }) {
    enhanceAppWithTabs(app)
    // VitePress's own first page has no landmark around its content.
    app.component('VPHomeHero', VPHomeHero)
    app.component('VPHomeFeatures', VPHomeFeatures)
    app.component('Playground', Playground)
    app.component('ErrorFinder', ErrorFinder)
    app.component('OpenSandbox', Sandbox)
  },
}
