// The npm package oidc-provider with everything in memory, for `cargo xtask bench --oidc`. It also
// makes codes and refresh tokens without a browser: GET /mint?kind=code&count=100.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const CALLBACK = "https://wiki.example.com/callback";
const SCOPE = "openid profile offline_access";

// Its own adapter for development forgets all but a thousand entries.
const stored = new Map();
class InMemory {
  constructor(name) {
    this.name = name;
  }
  key(id) {
    return `${this.name}:${id}`;
  }
  async find(id) {
    return stored.get(this.key(id));
  }
  async upsert(id, payload) {
    stored.set(this.key(id), payload);
  }
  async consume(id) {
    stored.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }
  async destroy(id) {
    stored.delete(this.key(id));
  }
  async findByUid() {}
  async findByUserCode() {}
  async revokeByGrantId() {}
}

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "one" };
const provider = new Provider("http://127.0.0.1", {
  adapter: InMemory,
  clients: [
    {
      client_id: "wiki",
      client_secret: process.env.CLIENT_SECRET,
      redirect_uris: [CALLBACK],
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "client_secret_post",
    },
  ],
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, name: "小林", nickname: "小林", preferred_username: "wx_somebody" }),
  }),
  claims: { openid: ["sub"], profile: ["name", "nickname", "preferred_username"] },
  jwks: { keys: [key] },
  pkce: { required: () => false },
  features: { devInteractions: { enabled: false } },
  rotateRefreshToken: true,
});

async function mint(kind) {
  const accountId = "somebody";
  const client = await provider.Client.find("wiki");
  const grant = new provider.Grant({ clientId: "wiki", accountId });
  grant.addOIDCScope(SCOPE);
  const grantId = await grant.save();
  const authTime = Math.floor(Date.now() / 1000);
  const common = { client, accountId, grantId, authTime, scope: SCOPE, claims: {} };
  const token =
    kind === "code"
      ? new provider.AuthorizationCode({ ...common, redirectUri: CALLBACK })
      : new provider.RefreshToken({ ...common, gty: "authorization_code", rotations: 0 });
  return token.save();
}

const handle = provider.callback();
const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  if (url.pathname !== "/mint") return handle(request, response);
  // What was made before is used up.
  stored.clear();
  const made = [];
  for (let count = Number(url.searchParams.get("count")); count > 0; count -= 1) {
    made.push(await mint(url.searchParams.get("kind")));
  }
  const body = made.join("\n");
  response.writeHead(200, { "content-length": Buffer.byteLength(body) }).end(body);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`provider ready http://127.0.0.1:${server.address().port}`);
});
