import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { defineConfig } from 'vitepress'
import { tabsMarkdownPlugin } from 'vitepress-plugin-tabs'

import { githubAnchor } from '../../../tools/github-anchor.ts'
import { emptyHeadersAsCells } from '../src/theme/empty-headers.ts'
import { checkLinks } from '../src/pages/check-links.ts'
import { addTwinsOfApi, collect, PAGES } from '../src/pages/collect.ts'
import { origins } from '../src/pages/origins.ts'
import { GITHUB, ROOT, SITE, VERSION } from '../src/pages/repository.ts'
import { ROUTES } from '../src/pages/routes.ts'
import { sidebar } from '../src/pages/sidebar.ts'

const base = new URL(`${SITE}/`).pathname
const pageOrigins = origins()
const parts = sidebar()
const inSidebar = new Set(parts.flatMap(({ items }) => items.map(({ link }) => link.replace(/#.*/, ''))))

// VitePress reads this file first, so the pages exist when it looks for them.
collect()

export default defineConfig({
  title: 'Halt',
  description: 'Rate limiting for Node services, exact and safe by default.',
  lang: 'en',
  base,
  srcDir: '.pages',
  srcExclude: ['public/**'],
  outDir: 'dist',
  cacheDir: '.cache',
  cleanUrls: true,
  head: [
    ['link', { rel: 'icon', href: `${base}icon.svg` }],
    ['meta', { property: 'og:site_name', content: 'Halt' }],
    ['meta', { property: 'og:type', content: 'website' }],
    ['meta', { property: 'og:image', content: `${SITE}/card.png` }],
    ['meta', { property: 'og:image:alt', content: 'Halt: rate limiting for Node services' }],
    ['meta', { name: 'twitter:card', content: 'summary_large_image' }],
  ],
  sitemap: { hostname: `${SITE}/` },
  lastUpdated: true,
  transformPageData(page) {
    const origin = pageOrigins.get(page.relativePath)
    const route = page.relativePath.replace(/(?:(^|\/)index)?\.md$/, '$1')
    const address = `${SITE}/${route}`
    return {
      lastUpdated: origin?.changedAt,
      frontmatter: {
        ...page.frontmatter,
        ...(origin === undefined ? { editLink: false } : { source: origin.path }),
        // A page outside of the sidebar has no neighbours.
        ...(inSidebar.has(`/${route}`) ? {} : { prev: false, next: false }),
        head: [
          ['meta', { property: 'og:title', content: page.title }],
          ['meta', { property: 'og:url', content: address }],
          ['link', { rel: 'canonical', href: address }],
        ],
      },
    }
  },
  markdown: {
    anchor: { slugify: githubAnchor },
    // Shiki does not know these two.
    languageAlias: { caddyfile: 'nginx', haproxy: 'ini' },
    // The usual ones have comments and keywords of too little contrast.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(markdown) {
      emptyHeadersAsCells(markdown)
      // Its types are those of another release of markdown-it.
      tabsMarkdownPlugin(markdown as never)
    },
  },
  themeConfig: {
    nav: [
      { text: 'Docs', link: '/contents' },
      { text: 'Playground', link: '/playground' },
      { text: 'Errors', link: '/errors/' },
      { text: 'API', link: '/api/' },
      { text: VERSION, link: `${GITHUB}/releases` },
    ],
    sidebar: parts,
    outline: { level: [2, 3] },
    editLink: {
      // The browser runs it too, so it uses nothing of this file.
      pattern: ({ frontmatter }) =>
        `https://github.com/halt-limits/halt/edit/main/${frontmatter['source'] ?? ''}`,
      text: 'Edit this page on GitHub',
    },
    lastUpdated: { text: 'Changed', formatOptions: { dateStyle: 'long', forceLocale: true } },
    socialLinks: [{ icon: 'github', link: GITHUB }],
  },
  vite: {
    resolve: {
      alias: [
        {
          find: /^.*\/VPNavBarSearch\.vue$/,
          replacement: fileURLToPath(new URL('theme/nav-search.ts', import.meta.url)),
        },
        {
          find: './VPSidebarItem.vue',
          replacement: fileURLToPath(new URL('theme/sidebar-item.ts', import.meta.url)),
        },
      ],
    },
    plugins: [
      {
        name: 'collect-again',
        configureServer({ watcher }) {
          watcher.add([...ROUTES.keys()].map(path => join(ROOT, path)))
          watcher.on('change', file => {
            if (file.endsWith('.md') && !file.startsWith(PAGES)) collect()
          })
        },
      },
    ],
  },
  buildEnd({ outDir }) {
    addTwinsOfApi(outDir)
    checkLinks(outDir, base)
  },
})
