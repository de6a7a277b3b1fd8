// Somebody is asked into a workspace: new here, at home here, or here as somebody else.

import { PASSWORD } from './server.mjs'
import { SCRIPTED, prepare, walk, world } from './walk.mjs'

prepare('--first-party')

/** A workspace of somebody, as its front end makes and fills it. */
async function workspace(name) {
  const { server } = world
  const owner = await server.person()
  const call = async (path, body, token) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const answer = await fetch(`${server.issuer}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  const { access_token: token } = await call('/api/auth/login', { email: owner.email, password: owner.password })
  await call('/api/external/workspaces', { name }, token)
  const invite = async (email) => {
    await call('/api/external/workspace/members', { email, role: 'member' }, token)
    return server.mailedLink(email, '/invitation')
  }
  return { owner, invite }
}

walk('somebody new joins', async (visitor) => {
  const { invite } = await workspace('Analytical Engines')
  const link = await invite(`${Math.random().toString(36).slice(2)}@example.org`)
  await visitor.open(link)
  await visitor.at('/invitation')
  await visitor.look('invitation-new')
  await visitor.fill({ name: 'Mary Somerville', password: 'password1' })
  await visitor.press('register')
  await visitor.has('#password-error')
  await visitor.look('invitation-weak')
  await visitor.fill({ password: PASSWORD })
  await visitor.press('register')
  await visitor.at('/invitation')
  await visitor.look('invitation')
  await visitor.press('accept')
  await visitor.look('invitation-joined')
  await visitor.follow('main a.button')
  await visitor.at('/account')
  await visitor.open(link)
  await visitor.look('invitation-used')
})

walk('somebody with an account signs in and joins', async (visitor) => {
  const person = await world.server.person()
  const { invite } = await workspace('Analytical Engines')
  await visitor.open(await invite(person.email))
  await visitor.look('invitation-login')
  await visitor.follow('main a.button')
  await visitor.signIn(person)
  await visitor.at('/invitation')
  await visitor.press('accept')
  await visitor.at('/invitation')
})

walk('somebody else changes the account', async (visitor) => {
  const [other, person] = [await world.server.person('Grace'), await world.server.person()]
  const { invite } = await workspace('Analytical Engines')
  await visitor.open('/login')
  await visitor.signIn(other)
  await visitor.at('/account')
  await visitor.open(await invite(person.email))
  await visitor.look('invitation-other')
  await visitor.press('switch')
  await visitor.at('/invitation')
  await visitor.follow('main a.button')
  await visitor.signIn(person)
  await visitor.at('/invitation')
  await visitor.press('accept')
})

walk('names of any length fit', async (visitor) => {
  const { invite } = await workspace(`Analytical ${'Engine'.repeat(30)}`)
  const random = Math.random().toString(36).slice(2)
  await visitor.open(await invite(`${random}${'a'.repeat(50)}@${'b'.repeat(60)}.example.org`))
  await visitor.look('invitation-long')
}, SCRIPTED)

walk('the account of a last owner stays', async (visitor) => {
  const { owner, invite } = await workspace('Analytical Engines')
  const [person, member] = [await world.server.person(), await visitor.elsewhere()]
  await member.open('/login')
  await member.signIn(person)
  await member.at('/account')
  await member.open(await invite(person.email))
  await member.press('accept')
  await member.leave()
  await visitor.open('/login')
  await visitor.signIn(owner)
  await visitor.at('/account')
  await visitor.open('/account/delete')
  await visitor.fill({ confirm: owner.email })
  await visitor.press()
  await visitor.has('.alert')
  await visitor.look('account-delete-owner')
}, SCRIPTED)
