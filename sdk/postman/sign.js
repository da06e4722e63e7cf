// Signs the request that is about to be sent: Acquia HTTP HMAC 2.0.
const resolve = (text) => pm.variables.replaceIn(text);
// As it goes over the wire: Postman escapes what a URL may not hold.
const wired = resolve(pm.request.url.toString()).replace(/[^\x21-\x7e]+|["'<>]/g, (text) => (text === "'" ? "%27" : encodeURIComponent(text)));
const [, scheme, authority, path, query] = /^(https?):\/\/([^/?#]+)([^?#]*)(?:\?([^#]*))?/.exec(wired);
const host = authority.toLowerCase().replace(scheme === "https" ? /:443$/ : /:80$/, "");
const id = resolve("{{key_id}}");
const key = CryptoJS.enc.Base64.parse(resolve("{{secret}}"));
const nonce = resolve("{{$guid}}").toLowerCase();
const timestamp = String(Math.floor(Date.now() / 1000));
const lines = [pm.request.method, host, path || "/", query || "", `id=${id}&nonce=${nonce}&realm=Bitpro&version=2.0`, timestamp];
const headers = { "X-Authorization-Timestamp": timestamp };
const body = pm.request.body && pm.request.body.raw ? resolve(pm.request.body.raw) : "";
if (body) {
  // What is hashed must be what is sent: a value such as {{$guid}} would be another one then.
  pm.request.body.update({ mode: "raw", raw: body });
  headers["Content-Type"] = "application/json";
  headers["X-Authorization-Content-SHA256"] = CryptoJS.SHA256(body).toString(CryptoJS.enc.Base64);
  lines.push("application/json", headers["X-Authorization-Content-SHA256"]);
}
const signature = encodeURIComponent(CryptoJS.HmacSHA256(lines.join("\n"), key).toString(CryptoJS.enc.Base64));
headers.Authorization = `acquia-http-hmac realm="Bitpro",id="${id}",nonce="${nonce}",version="2.0",headers="",signature="${signature}"`;
for (const [name, value] of Object.entries(headers)) pm.request.headers.upsert({ key: name, value });
