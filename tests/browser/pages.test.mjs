// Pages without a story: the landing page, the documentation, what is not there.

import { prepare, walk, world } from './walk.mjs'

prepare()

walk('landing page, documentation, nothing', async (visitor) => {
  await visitor.open('/')
  await visitor.look('landing')
  await visitor.open('/account/nothing')
  await visitor.look('error-not-found')
})

walk('the language that the reader chooses stays', async (visitor) => {
  await visitor.open(world.app.start())
  await visitor.at('/login')
  const other = visitor.how.language === 'en' ? 'zh' : 'en'
  await visitor.follow(`footer a[hreflang^=${other}]`)
  await visitor.follow('main a[href*="/register"]')
  await visitor.has(`html[lang^=${other}]`)
  await visitor.has('input[name=t]')
})
