// Pages without a story: the landing page, the documentation, what is not there; and a tenant's own.

import assert from 'node:assert/strict'
import { PASSWORD } from './server.mjs'
import { ENGLISH } from './visitor.mjs'
import { prepare, walk, world } from './walk.mjs'

prepare()

walk('landing page, documentation, nothing', async (visitor) => {
  await visitor.open('/')
  await visitor.look('landing')
  await visitor.follow('main a[href*="/docs"]')
  await visitor.look('docs')
  await visitor.open('/account/nothing')
  await visitor.look('error-not-found')
})

walk('the language that the reader chooses stays', async (visitor) => {
  await visitor.open(world.app.start({ scope: 'openid' }))
  await visitor.at('/login')
  const other = visitor.how.language === 'en' ? 'zh' : 'en'
  await visitor.follow(`footer a[hreflang^=${other}]`)
  await visitor.follow('main a[href*="/register"]')
  await visitor.has(`html[lang^=${other}]`)
  await visitor.has('input[name=t]')
})

walk('a tenant has pages, people and a colour of its own', async (visitor) => {
  const { server } = world
  const created = await fetch(`${server.issuer}/v1/tenants`,
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"Lighthouse"}' })
  const { id } = await created.json()
  await server.cli(['tenant', 'update', '--tenant', id, '--brand-color', '#ffd54f'])
  const person = await server.person('Ada Lovelace', '--tenant', id)
  await visitor.open(`/t/${id}/account`)
  await visitor.at(`/t/${id}/login`)
  await visitor.look('tenant-login')
  await visitor.fill({ identifier: person.email, password: PASSWORD })
  await visitor.press()
  await visitor.at(`/t/${id}/account`)
  await visitor.look('tenant-account')
  await visitor.open('/account')
  await visitor.at('/login')
})

walk('what is looked for would be found', async (visitor) => {
  await visitor.open('/')
  const add = (html) => visitor.page.evaluate((html) => document.querySelector('main').insertAdjacentHTML('beforeend', html), html)
  await add('<img src="data:,"><code id="wide">wide</code>')
  await visitor.page.evaluate(() => { document.getElementById('wide').style.cssText = 'display: block; width: 600px' })
  await assert.rejects(visitor.look('broken'), /too wide at 390[\s\S]*image-alt/)
  await visitor.page.addScriptTag({ content: 'document.title = "run"' }).catch(() => {})
  assert.match(visitor.complaints.join(), /Content Security Policy/)
  visitor.forgive(/Content Security Policy/)
  visitor.weight = 60_000
  await assert.rejects(visitor.look('heavy'), /weighs 60000 bytes/)
}, [ENGLISH])
