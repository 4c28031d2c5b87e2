// oidc-provider with what it needs from standard input: its address, certificate, signing key and clients.
import { readFileSync } from 'node:fs'
import https from 'node:https'
import Provider from 'oidc-provider'

const given = JSON.parse(readFileSync(0, 'utf8'))
const resource = {
  scope: 'SMTP.Send',
  audience: given.audience,
  accessTokenFormat: 'jwt',
  accessTokenTTL: 3600,
  jwt: { sign: { alg: 'RS256' } },
}
const provider = new Provider(given.issuer, {
  clients: given.clients,
  jwks: { keys: [given.key] },
  cookies: { keys: ['bed'] },
  scopes: ['openid', 'offline_access', 'SMTP.Send'],
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  // Dovecot finds the key by azp, and the mailbox by email; it knows no other typ than JWT.
  extraTokenClaims: (context, token) => ({ azp: token.clientId, email: token.accountId ?? given.mailbox }),
  formats: { customizers: { jwt: (context, token, jwt) => { jwt.header = { typ: 'JWT' } } } },
  issueRefreshToken: async (context, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => given.audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => resource,
    },
  },
})
provider.on('server_error', (context, error) => console.error(error))
const tls = { cert: readFileSync(given.certificate), key: readFileSync(given.private_key) }
https.createServer(tls, provider.callback()).listen(given.port, '127.0.0.1')
