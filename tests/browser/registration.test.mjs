// New accounts and forgotten passwords: what comes by mail, and links that count once.

import { PASSWORD } from './server.mjs'
import { prepare, walk, world } from './walk.mjs'

prepare('--first-party')

const somebody = () => `${Math.random().toString(36).slice(2)}@example.org`

walk('registration to signed-in app', async (visitor) => {
  const { app, server } = world
  const person = { email: somebody(), password: PASSWORD }
  await visitor.open(app.start({ prompt: 'create' }))
  await visitor.at('/register')
  await visitor.look('register')
  await visitor.fill({ name: 'Mary Somerville', email: person.email, password: 'password1' })
  await visitor.press()
  await visitor.at('/register')
  await visitor.has('#password-error')
  await visitor.look('register-weak')
  await visitor.fill({ password: person.password })
  await visitor.press()
  await visitor.at('/verify-email')
  await visitor.look('check-mail')

  // The password alone does not do yet, and leads to the same page.
  await visitor.follow('a[href*="/login"]')
  await visitor.signIn(person)
  await visitor.at('/verify-email')

  // The mail is read in another tab.
  const mails = await visitor.another()
  const link = await server.mailedLink(person.email, '/verify-email')
  await mails.open(link)
  await mails.at('/verify-email')
  await mails.look('verify-email')
  await mails.press()
  await mails.look('verified')
  await mails.open(link)
  await mails.look('error-link')
  await mails.done()

  await visitor.follow('a[href*="/login"]')
  await visitor.signIn(person)
  await visitor.arrives(app, 'Signed in', person.email)
})

walk('the mail once more', async (visitor) => {
  const { server } = world
  const person = { email: somebody(), password: PASSWORD }
  await visitor.open('/register')
  await visitor.fill({ name: 'Mary Somerville', email: person.email, password: person.password })
  await visitor.press()
  await visitor.at('/verify-email')
  await server.mailedLink(person.email, '/verify-email')
  await visitor.fill({ email: person.email })
  await visitor.press('resend')
  await visitor.has('.alert.good')
  await visitor.look('check-mail-again')
  await visitor.open(await server.mailedLink(person.email, '/verify-email'))
  await visitor.press()
  await visitor.follow('main a.button')
  await visitor.signIn(person)
  await visitor.at('/account')
})

walk('a forgotten password', async (visitor) => {
  const { app, server } = world
  const person = await server.person()
  const password = 'another harbour at dusk'
  await visitor.open(app.start())
  await visitor.at('/login')
  await visitor.follow('a[href*="/forgot-password"]')
  await visitor.look('forgot-password')
  await visitor.fill({ email: person.email })
  await visitor.press()
  await visitor.look('forgot-password-sent')

  const mails = await visitor.another()
  await mails.open(await server.mailedLink(person.email, '/reset-password'))
  await mails.look('reset-password')
  await mails.fill({ password: 'password1' })
  await mails.press()
  await mails.has('#password-error')
  await mails.fill({ password })
  await mails.press()
  await mails.look('password-reset')
  await mails.done()

  await visitor.follow('a[href*="/login"]')
  await visitor.signIn(person)
  await visitor.has('.alert.bad')
  await visitor.signIn({ ...person, password })
  await visitor.arrives(app, 'Signed in', person.email)
})
