import type { Theme } from 'vitepress'
import { enhanceAppWithTabs } from 'vitepress-plugin-tabs/client'
import DefaultTheme from 'vitepress/theme-without-fonts'
import { h } from 'vue'

import { Playground } from '../playground/view/playground.ts'
import { ErrorFinder } from './error-finder.ts'
import { TwinLink } from './twin-link.ts'
import '../playground/style.css'
import './style.css'

/** The default theme of VitePress with the components that pages of this site use. */
export const theme: Theme = {
  extends: DefaultTheme,
  Layout: () => h(DefaultTheme.Layout, null, { 'doc-footer-before': () => h(TwinLink) }),
  enhanceApp({ app }) {
    enhanceAppWithTabs(app)
    app.component('Playground', Playground)
    app.component('ErrorFinder', ErrorFinder)
  },
}
