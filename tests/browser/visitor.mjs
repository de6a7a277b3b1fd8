// A person at a real browser, and what is looked at on every page that they come by.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import { chromium } from 'playwright-core'

const SCREENSHOTS = process.env.SCREENSHOTS
const WIDTHS = { 390: 844, 1280: 900 }
/** What a page may weigh with its style and scripts, in bytes. */
const MOST = 50_000

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  })

/** How people come: in each language, and without script. */
export const ENGLISH = { name: 'English', language: 'en', locale: 'en-GB', script: true }
export const CHINESE = { name: 'Chinese', language: 'zh', locale: 'zh-CN', script: true }
export const WITHOUT_SCRIPT = { name: 'without script', language: 'en', locale: 'en-GB', script: false }

export class Visitor {
  static async arrive(browser, server, how) {
    const context = await browser.newContext({
      locale: how.locale,
      javaScriptEnabled: how.script,
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
    })
    context.setDefaultTimeout(10_000)
    return new Visitor().sit({ browser, server, how, context, complaints: [] })
  }

  async sit(at) {
    Object.assign(this, at)
    this.page = await this.context.newPage()
    await this.listen()
    return this
  }

  /** The same browser in another tab. */
  another() {
    return new Visitor().sit(this)
  }

  /** The same person at another browser. */
  elsewhere() {
    return Visitor.arrive(this.browser, this.server, this.how)
  }

  async listen() {
    const { page } = this
    page.on('pageerror', (error) => this.complaints.push(`${page.url()}: ${error}`))
    page.on('console', (message) => {
      // A page that says what is wrong with a form has a status of its own, which is no fault.
      const said = /^Failed to load resource: the server responded with a status of 4\d\d/
      if (message.type() === 'error' && !said.test(message.text())) this.complaints.push(`${page.url()}: ${message.text()}`)
    })
    this.devtools = await this.context.newCDPSession(page)
    await this.devtools.send('Network.enable')
    await this.devtools.send('Network.setCacheDisabled', { cacheDisabled: true })
    const ours = new Set()
    this.devtools.on('Network.requestWillBeSent', ({ type, requestId, request, frameId, loaderId }) => {
      if (type === 'Document' && requestId === loaderId && frameId === this.mainFrame) {
        ours.clear()
        this.weight = 0
      }
      if (request.url.startsWith(this.server.issuer)) ours.add(requestId)
    })
    this.devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (ours.has(requestId)) this.weight += encodedDataLength
    })
    this.mainFrame = (await this.devtools.send('Page.getFrameTree')).frameTree.frame.id
  }

  /** Closes the tab. */
  done() {
    return this.page.close()
  }

  /** Says goodbye; what the browser complained of on the way is a failure. */
  async leave() {
    await this.context.close()
    assert.deepEqual(this.complaints, [])
  }

  /** What the browser may complain of. */
  forgive(what) {
    this.complaints = this.complaints.filter((complaint) => !what.test(complaint))
  }

  async open(address) {
    await this.page.goto(new URL(address, this.server.issuer).href)
  }

  /** Is, or comes to be, at this path. */
  async at(path) {
    await this.page.waitForURL((url) => url.pathname === path)
  }

  async fill(fields) {
    for (const [name, value] of Object.entries(fields)) await this.page.locator(`input[name="${name}"]:visible`).fill(value)
  }

  /** Clicks what leads to another page, and waits for it. */
  async follow(selector) {
    const loaded = this.page.waitForEvent('domcontentloaded')
    await this.page.locator(selector).first().click()
    await loaded
    await this.page.waitForLoadState()
  }

  /** Presses the button with this action, or the one without. */
  async press(action) {
    await this.follow(action ? `button[name=action][value="${action}"]` : 'main button[type=submit]:not([name])')
  }

  async signIn(person, more = {}) {
    await this.at('/login')
    await this.fill({ identifier: person.email, password: person.password, ...more })
    await this.press()
  }

  text(selector) {
    return this.page.locator(selector).first().innerText()
  }

  async has(selector) {
    assert.notEqual(await this.page.locator(selector).count(), 0, `${selector} at ${this.page.url()}: ${await this.text('main')}`)
  }

  /** What the app shows in the end. */
  async arrives(app, title, text) {
    await this.page.waitForURL((url) => url.origin === app.url && url.pathname !== '/start')
    assert.deepEqual([await this.text('h1'), await this.text('p')], [title, text])
  }

  /** Looks at the page as it stands: on a phone and on a desktop, light and dark. */
  async look(name) {
    const { page, how } = this
    // The reference of every call is long, and nobody waits for it in order to sign in.
    const most = name === 'docs' ? 10 * MOST : MOST
    assert.ok(this.weight > 0 && this.weight < most, `${name} weighs ${this.weight} bytes`)
    assert.equal(await page.evaluate(() => document.documentElement.lang.slice(0, 2)), how.language)
    const title = await this.text('h1')
    if (how.language === 'zh') assert.match(title, /\p{Script=Han}/u, `${name} is called ${title}`)
    const found = []
    const moved = how.script ? await this.moved() : 0
    if (moved > 0) found.push(`${moved} of the page moved while it was built`)
    for (const [width, height] of Object.entries(WIDTHS)) {
      await page.setViewportSize({ width: Number(width), height })
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      if (overflow > 0) found.push(`${overflow} px too wide at ${width}`)
      if (!how.script) continue
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme })
        mkdirSync(SCREENSHOTS, { recursive: true })
        await page.screenshot({ path: join(SCREENSHOTS, `${name}-${width}-${colorScheme}-${how.language}.png`), fullPage: true })
        // Another language looks no different to it; so there, once.
        if (how.language !== 'en' && (width !== '1280' || colorScheme !== 'light')) continue
        found.push(...(await this.violations()).map((violation) => `${width} ${colorScheme}: ${violation}`))
      }
    }
    assert.deepEqual(found, [], name)
  }

  /** How much of the page moved after it was first seen (Layout Instability, without what people did). */
  moved() {
    return this.page.evaluate(() => new Promise((resolve) => {
      let sum = 0
      new PerformanceObserver((list) => {
        for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) sum += value
      }).observe({ type: 'layout-shift', buffered: true })
      setTimeout(() => resolve(sum), 50)
    }))
  }

  /** What axe finds serious or critical. */
  async violations() {
    await this.page.evaluate(axe.source)
    // Nothing is fetched for it, which the content security policy would refuse.
    const { violations } = await this.page.evaluate(() => window.axe.run({ preload: false, iframes: false }))
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    return grave.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)
  }
}
