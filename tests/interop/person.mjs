// A person at a browser without script: cookies, forms, and redirects as far as the app's own address.

/** The attribute of a tag, its character references decoded. */
const attribute = (tag, name) =>
  new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
    .replace(/&#(x?)([\da-f]+);/gi, (_, x, digits) => String.fromCodePoint(parseInt(digits, x ? 16 : 10)))
    .replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')

/** The first form: where it goes, and the values that it has already. */
function form(html) {
  const [text] = /<form[\s\S]*?<\/form>/.exec(html) ?? []
  if (!text) return undefined
  const inputs = text.match(/<input[^>]*>/g) ?? []
  const fields = inputs.filter((input) => attribute(input, 'type') !== 'checkbox').map((input) => [attribute(input, 'name'), attribute(input, 'value') ?? ''])
  return { action: attribute(text, 'action'), fields: Object.fromEntries(fields) }
}

/** Somebody with a password, who allows what is asked for. */
export class Person {
  constructor(email, password, app) {
    Object.assign(this, { email, password, app, cookies: new Map() })
  }

  async request(address, fields) {
    const headers = { cookie: [...this.cookies].map((pair) => pair.join('=')).join('; ') }
    const body = fields && new URLSearchParams(fields)
    const answer = await fetch(address, { method: fields ? 'POST' : 'GET', headers, body, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      this.cookies.set(name, value)
    }
    return answer
  }

  /** Goes there and does what the pages want; says where the app gets its answer, and as a form what. */
  async open(address) {
    let at = new URL(address).href
    let answer = await this.request(at)
    for (let steps = 0; steps < 12; steps += 1) {
      if (answer.status === 303) {
        at = new URL(answer.headers.get('location'), at).href
        if (at.startsWith(this.app)) return new URL(at)
        answer = await this.request(at)
        continue
      }
      const html = await answer.text()
      const { action, fields } = form(html) ?? {}
      if (fields && action.startsWith(this.app)) return new Request(action, { method: 'POST', body: new URLSearchParams(fields) })
      if (fields && 'identifier' in fields) Object.assign(fields, { identifier: this.email, password: this.password })
      else if (action?.split('?')[0].endsWith('/consent')) fields.action = 'allow'
      else throw new Error(`no way on from ${at}: ${answer.status} ${html.slice(0, 600)}`)
      at = new URL(action, at).href
      answer = await this.request(at, fields)
    }
    throw new Error(`no end at ${at}`)
  }
}
