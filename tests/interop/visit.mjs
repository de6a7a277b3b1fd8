// A person at a real Chromium, for checks that are not written in JavaScript: from one address on, typing what
// they are asked for, until they are at another. Says where that is.

import { launch } from '../browser/visitor.mjs'

const [from, until, ...typed] = process.argv.slice(2)
const browser = await launch()
try {
  const page = await browser.newPage()
  page.setDefaultTimeout(10_000)
  await page.goto(from)
  for (const [name, value] of typed.map((pair) => pair.split('='))) {
    const field = page.locator(`input[name="${name}"]`)
    await field.fill(value)
    await field.press('Enter')
  }
  await page.waitForURL(`${until}**`)
  console.log(JSON.stringify({ url: page.url(), title: await page.title(), text: await page.innerText('body') }))
} finally {
  await browser.close()
}
