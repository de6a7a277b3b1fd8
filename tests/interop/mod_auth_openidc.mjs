// mod_auth_openidc signs people in to what Debian's Apache serves, in a real Chromium: the ID token,
// userinfo, refresh, sign-out by the app, and sign-out that the app hears of behind its back.
//
// Run by `run`, which sets GATEHOUSE (the binary), CHROMIUM and APACHE.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server, freePort, until } from '../browser/server.mjs'
import { ENGLISH, Visitor, launch } from '../browser/visitor.mjs'
import { check, seen } from './issuer.mjs'

const MODULES = '/usr/lib/apache2/modules'
const module = (name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`

/** Apache in a folder of its own, in front of one page for whoever has signed in. */
async function startApache(issuer, client, port) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-apache-'))
  chmodSync(folder, 0o755) // its workers are not root
  mkdirSync(join(folder, 'pages', 'bye'), { recursive: true })
  writeFileSync(join(folder, 'pages', 'index.html'), '<!doctype html><title>Apache</title><h1>Signed in</h1><p><!--#echo var="REMOTE_USER" --></p>')
  writeFileSync(join(folder, 'pages', 'bye', 'index.html'), '<!doctype html><title>Apache</title><h1>Signed out</h1>')
  const url = `http://127.0.0.1:${port}`
  writeFileSync(join(folder, 'apache.conf'), `
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/pid
ErrorLog ${folder}/log
LogLevel warn auth_openidc:info
Listen 127.0.0.1:${port}
ServerName 127.0.0.1
User www-data
Group www-data
${['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'dir', 'include', 'auth_openidc'].map(module).join('\n')}
DocumentRoot ${folder}/pages
DirectoryIndex index.html
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${client.client_id}
OIDCClientSecret ${client.client_secret}
OIDCRedirectURI ${url}/callback
OIDCCryptoPassphrase "as long as it is not told to anybody"
OIDCScope "openid profile email offline_access"
OIDCPKCEMethod S256
OIDCRemoteUserClaim email
OIDCInfoHook iat access_token id_token userinfo refresh_token session
<Location />
  Options +Includes
  SetOutputFilter INCLUDES
  AuthType openid-connect
  Require valid-user
</Location>
<Location /bye>
  AuthType None
  Require all granted
</Location>
`)
  const log = () => readFileSync(join(folder, 'log'), 'utf8')
  const apache = spawn(process.env.APACHE, ['-d', folder, '-f', join(folder, 'apache.conf'), '-DFOREGROUND'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const stop = async () => {
    const ended = new Promise((resolve) => apache.once('exit', resolve))
    if (apache.exitCode === null && apache.kill()) await ended
    rmSync(folder, { recursive: true, force: true })
  }
  await until('Apache', () => {
    if (apache.exitCode !== null) throw new Error(`Apache ended: ${log()}`)
    return fetch(`${url}/bye/`).then((answer) => answer.ok, () => false)
  })
  return { url, log, stop }
}

// Apache is on loopback, where gatehouse sends nothing unless it is told to.
const server = await Server.start({ OUTBOUND__ALLOW_NETWORKS: '127.0.0.1/32' })
const port = await freePort()
const url = `http://127.0.0.1:${port}`
const client = await server.cli(['client', 'create', '--name', 'Apache', '--redirect-uri', `${url}/callback`,
  '--post-logout-redirect-uri', `${url}/bye/`, '--backchannel-logout-uri', `${url}/callback?logout=backchannel`])
const person = await server.person()
await seen()
const apache = await startApache(server.issuer, client, port)
const browser = await launch()
const visitor = await Visitor.arrive(browser, server, ENGLISH)

const information = async () => {
  await visitor.page.goto(`${url}/callback?info=json`)
  return JSON.parse(await visitor.text('body'))
}

/** From nothing to the page behind Apache. */
const signIn = async () => {
  await visitor.context.clearCookies()
  await visitor.page.goto(`${url}/`)
  await visitor.signIn(person)
  if (new URL(visitor.page.url()).pathname === '/consent') await visitor.press('allow')
  await visitor.page.waitForURL(`${url}/`)
  assert.deepEqual([await visitor.text('h1'), await visitor.text('p')], ['Signed in', person.email])
}

await check('Apache: a person signs in, and it reads userinfo', async () => {
  await signIn()
  const { id_token: token, userinfo } = await information()
  assert.deepEqual([token.iss, token.aud, token.sub], [server.issuer, client.client_id, userinfo.sub])
  assert.deepEqual([userinfo.email, userinfo.email_verified, userinfo.name], [person.email, true, person.name])
})

await check('Apache: it refreshes', async () => {
  const before = await information()
  const query = new URLSearchParams({ refresh: `${url}/`, access_token: before.access_token })
  await visitor.page.goto(`${url}/callback?${query}`)
  await visitor.page.waitForURL(`${url}/`)
  const after = await information()
  assert.notEqual(after.access_token, before.access_token)
  assert.notEqual(after.refresh_token, before.refresh_token)
})

await check('Apache: it signs the person out', async () => {
  await visitor.page.goto(`${url}/callback?${new URLSearchParams({ logout: `${url}/bye/` })}`)
  await visitor.page.waitForURL(`${url}/bye/`)
  assert.equal(await visitor.text('h1'), 'Signed out')
  await visitor.page.goto(`${url}/`)
  await visitor.at('/login')
})

await check('Apache: it hears of a sign-out behind its back', async () => {
  await signIn()
  const page = await visitor.context.newPage()
  await page.goto(`${server.issuer}/logout`)
  await page.locator('button[value=sign-out]').click()
  await page.waitForLoadState()
  await page.close()
  await until('signed out of Apache', async () => {
    await visitor.page.goto(`${url}/`)
    return new URL(visitor.page.url()).pathname === '/login'
  }, 15)
})

await check('Apache: its log has no error', async () => {
  assert.deepEqual(apache.log().split('\n').filter((line) => /:error\]|:crit\]/.test(line)), [])
})

await visitor.context.close()
await browser.close()
await apache.stop()
server.stop()
