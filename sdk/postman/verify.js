// Verifies the answer that came.
pm.test("the answer is signed by the server", () => {
  const authorization = pm.request.headers.get("Authorization");
  const nonce = /nonce="([^"]*)"/.exec(authorization)[1];
  const text = `${nonce}\n${pm.request.headers.get("X-Authorization-Timestamp")}\n${pm.response.text()}`;
  const key = CryptoJS.enc.Base64.parse(pm.variables.replaceIn("{{secret}}"));
  const right = CryptoJS.HmacSHA256(text, key).toString(CryptoJS.enc.Base64);
  pm.expect(pm.response.headers.get("X-Server-Authorization-HMAC-SHA256")).to.equal(right);
});
