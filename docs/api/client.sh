#!/bin/bash
# bitpro METHOD PATH [QUERY] [BODY]: one signed request to the merchant API. It needs openssl, hexdump, uuidgen and curl.
# BITPRO_URL is the server, as in https://pay.example; BITPRO_ID and BITPRO_SECRET are those of your key.

bitpro() {
  local method=$1 path=$2 query=${3:-} body=${4:-}
  local host=${BITPRO_URL#*://} nonce time hash type text key signature authorization
  nonce=$(uuidgen | tr 'ABCDEF' 'abcdef')
  time=$(date +%s)
  text="$method
$host
$path
$query
id=$BITPRO_ID&nonce=$nonce&realm=Bitpro&version=2.0
$time"
  local more=()
  if [ -n "$body" ]; then
    type=application/json
    hash=$(printf %s "$body" | openssl dgst -sha256 -binary | openssl base64 -A)
    text="$text
$type
$hash"
    more=(-H "Content-Type: $type" -H "X-Authorization-Content-SHA256: $hash" --data-binary "$body")
  fi
  if [ -n "$BITPRO_IDEMPOTENCY_KEY" ]; then
    more+=(-H "Idempotency-Key: $BITPRO_IDEMPOTENCY_KEY")
  fi
  key=$(printf %s "$BITPRO_SECRET" | openssl base64 -d -A | hexdump -v -e '1/1 "%02x"')
  signature=$(printf %s "$text" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
  authorization="acquia-http-hmac realm=\"Bitpro\",id=\"$BITPRO_ID\",nonce=\"$nonce\",version=\"2.0\",headers=\"\",signature=\"$signature\""
  curl -sS -X "$method" "$BITPRO_URL$path${query:+?$query}" \
    -H "Authorization: $authorization" \
    -H "X-Authorization-Timestamp: $time" \
    -H 'Accept: application/vnd.bitpro-mapi-20180503+json' \
    "${more[@]}"
}
