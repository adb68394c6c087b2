/** Bodies as the OpenAPI document shows them; a test holds them to the schemas. */

/** By method and path, as the routes have them. */
export const bodyExamples: Readonly<Record<string, object>> = {
  "POST /api/v1/publications": {
    name: "weather-2026",
    contentName: "Weather 2026",
    isDirectory: true,
    files: [{ path: ["january", "data.bin"], length: 1_048_576 }],
    policy: { policy: "balanced", egressBudgetBytes: 500_000_000_000 },
    access: { catalogue: "members", level: "admitted" },
  },
  "POST /api/v1/publications/:name/publish": { pieceLength: 1_048_576, isPrivate: false },
  "POST /api/v1/local-publications": {
    path: "/srv/big.iso",
    name: "big.iso",
    torrent: "ZDg6YW5ub3VuY2UyMzpodHRwOi8vdC5leGFtcGxlL2Fubm91bmNlZQ==",
  },
  "PATCH /api/v1/publications/:name/policy": { policy: "thrifty", floor: 2, deadline: null },
  "PUT /api/v1/publications/:name/signature": {
    publicKey: "RWQAAQIDBAUGBwOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
    signature:
      "untrusted comment: signature of a publisher\nRUQA…\n" +
      "trusted comment: timestamp:1790000000\tfile:weather-2026.sha256\thashed\n…\n",
  },
  "POST /api/v1/setup": {
    token: "btps_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
    name: "carol",
    password: "correct horse battery",
    session: true,
  },
  "POST /api/v1/sessions": { name: "carol", password: "correct horse battery" },
  "POST /api/v1/login": {
    name: "carol",
    password: "correct horse battery",
    scopes: ["publish"],
    lifeSeconds: 86_400,
  },
  "POST /api/v1/users": { name: "alice", role: "downloader" },
  "PATCH /api/v1/users/:name": { isDisabled: true },
  "POST /api/v1/users/:name/rotate-keys": { graceSeconds: 0 },
  "POST /api/v1/tokens": { user: "alice", scopes: ["download"], lifeSeconds: 2_592_000 },
  "POST /api/v1/grants": {
    user: "alice",
    publication: "weather-2026",
    expiresAt: "2027-01-01T00:00:00Z",
  },
  "POST /api/v1/csp-reports": { "csp-report": { "violated-directive": "script-src" } },
};
