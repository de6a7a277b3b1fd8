// An identity provider made with samlp (the one inside Auth0) signs people in to a workspace.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import samlp from 'samlp'

import { launch } from '../browser/visitor.mjs'
import { BASE, check, cli } from './issuer.mjs'

const folder = mkdtempSync(join(tmpdir(), 'samlp-'))

function keyPair(name) {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '30', '-subj', `/CN=${name}`]
  execFileSync('openssl', ['req', '-x509', ...made], { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

const ours = keyPair('idp')
const issuer = 'urn:interop:samlp'
/** What the provider does this time. */
let how = {}
let acs

// What samlp wants of Express, and no more.
const server = createServer((request, response) => {
  const address = new URL(request.url, 'http://127.0.0.1')
  request.query = Object.fromEntries(address.searchParams)
  request.originalUrl = request.url
  response.set = (name, value) => response.setHeader(name, value)
  response.send = (body) => response.end(String(body))
  const failed = (error) => {
    response.statusCode = 500
    response.end(String(error))
  }
  if (address.pathname === '/metadata') {
    const options = { issuer, cert: ours.cert, redirectEndpointPath: '/sso', postEndpointPath: '/sso' }
    request.protocol = 'http'
    return samlp.metadata(options)(request, response, failed)
  }
  if (address.pathname === '/app') {
    response.setHeader('content-type', 'text/html')
    return response.end('<title>The front end</title>')
  }
  const options = {
    issuer,
    ...ours,
    getUserFromRequest: () => how.user,
    getPostURL: (_audience, _document, _request, done) => done(null, acs),
    ...how.options,
  }
  return samlp.auth(options)(request, response, failed)
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const idp = `http://127.0.0.1:${server.address().port}`
const app = `${idp}/app`

const company = cli(['catalog', 'add-company', '--name', 'Interop samlp'])
const file = join(folder, 'metadata.xml')
writeFileSync(file, await (await fetch(`${idp}/metadata`)).text())
const connection = cli([
  'connection', 'add-saml', '--name', 'samlp', '--organization', company.key, '--metadata', file, '--return-to', app,
])
acs = connection.metadata.replace('/metadata/', '/acs/')
const sp = await (await fetch(connection.metadata)).text()
const certificate = `-----BEGIN CERTIFICATE-----\n${sp.match(/X509Certificate>([^<]+)</)[1].replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`

/** A person as Passport describes them. */
const person = (name) => ({
  id: name,
  displayName: `${name} at samlp`,
  emails: [{ value: `${name}@example.net` }],
  name: { givenName: name, familyName: 'Samlp' },
})

/** From our door to theirs and back; where they land. */
async function come(name, options = {}) {
  // It checks the signature of our request too.
  how = { user: person(name), options: { recipient: acs, destination: acs, signingCert: certificate, ...options } }
  const out = await fetch(connection.metadata.replace('/metadata/', '/login/'), { redirect: 'manual' })
  assert.equal(out.status, 302)
  const page = await fetch(out.headers.get('location'))
  const form = await page.text()
  assert.equal(page.status, 200, form)
  const value = (field) => form.match(new RegExp(`name="${field}"\\s+value="([^"]*)"`))[1]
  const body = new URLSearchParams({ SAMLResponse: value('SAMLResponse'), RelayState: value('RelayState') })
  return fetch(form.match(/action="([^"]+)"/)[1], { method: 'POST', body, redirect: 'manual' })
}

async function signIn(name, options) {
  const landed = await come(name, options)
  assert.equal(landed.status, 302, await landed.text())
  return me(landed.headers.get('location'))
}

/** Who somebody is who landed there. */
async function me(address) {
  const [at, fragment] = address.split('#')
  assert.equal(at, app)
  const token = new URLSearchParams(fragment).get('access_token')
  return (await fetch(`${BASE}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } })).json()
}

if (process.env.CHROMIUM) {
  await check('samlp: signs a person in in a real Chromium', async () => {
    const browser = await launch()
    try {
      const page = await browser.newPage()
      how = { user: person('fay'), options: { recipient: acs, destination: acs, signingCert: certificate } }
      await page.goto(connection.metadata.replace('/metadata/', '/login/'))
      await page.waitForURL(`${app}#**`)
      assert.equal(await page.title(), 'The front end')
      assert.equal((await me(page.url())).email, 'fay@example.net')
    } finally {
      await browser.close()
    }
  })
}

await check('samlp: signs the assertion', async () => {
  const gil = await signIn('gil')
  assert.equal(gil.email, 'gil@example.net')
  assert.equal(gil.workspaces[0].id, acs.split('/').pop())
})

await check('samlp: signs the response alone, and both', async () => {
  const first = await signIn('hal', { signAssertion: false, signResponse: true })
  const again = await signIn('hal', { signResponse: true })
  assert.equal(first.id, again.id)
})

await check('samlp: encrypts the assertion', async () => {
  const options = {
    encryptionCert: certificate,
    encryptionPublicKey: execFileSync('openssl', ['x509', '-pubkey', '-noout'], { input: certificate }),
    encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  }
  assert.equal((await signIn('ida', options)).email, 'ida@example.net')
  const encryptionAlgorithm = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc'
  const insecure = { disallowEncryptionWithInsecureAlgorithm: false, warnOnInsecureEncryptionAlgorithm: false }
  const cbc = { ...options, ...insecure, encryptionAlgorithm }
  assert.equal((await signIn('ida', { ...cbc, signResponse: true })).email, 'ida@example.net')
  assert.equal((await come('ida', cbc)).status, 400, 'CBC without a signature around it')
})

await check('samlp: another key, SHA-1, no signature, another audience: refused', async () => {
  for (const options of [
    keyPair('other'),
    { signatureAlgorithm: 'rsa-sha1', digestAlgorithm: 'sha1' },
    { digestAlgorithm: 'sha1' },
    { signAssertion: false },
    { audience: 'urn:somebody:else' },
    { recipient: `${acs}x` },
    { destination: `${acs}x` },
    { inResponseTo: '_somebody_elses' },
    { lifetimeInSeconds: -120 },
  ]) {
    const answer = await come('jim', options)
    assert.equal(answer.status, 400, Object.keys(options).join())
    assert.equal((await answer.json()).error_code, 'BAD_REQUEST')
  }
})

await check('samlp: connection test finds nothing wrong but http', async () => {
  let findings
  try {
    findings = cli(['connection', 'test', connection.connection_id])
  } catch (error) {
    findings = JSON.parse(error.stdout)
  }
  assert.deepEqual(findings.filter(({ verdict }) => verdict !== 'ok').map(({ what }) => what), ['sign-in'])
})

server.close()
