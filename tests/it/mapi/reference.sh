#!/bin/bash

PRIVATE_KEY=$YOUR_PRIVATE_KEY
ID=$YOUR_MERCHANT_ID

HOST=${YOUR_HOST:-sandbox.bitit.pro}
PATH_INFO=${YOUR_PATH:-/mapi/charges}
QUERY_STRING=${YOUR_QUERY_STRING:-page=1}

NONCE=$(uuidgen | tr 'ABCDEF' 'abcdef')
REALM='Bitpro'
TIME=$(date +%s)

STRING_TO_SIGN=\
"GET
$HOST
$PATH_INFO
$QUERY_STRING
id=${ID}&nonce=${NONCE}&realm=${REALM}&version=2.0
$TIME"

HMAC_KEY=$(echo -n "$PRIVATE_KEY" | openssl base64 -d -A | hexdump -v -e '1/1 "%02x"')
SIGNATURE=$(echo -n "$STRING_TO_SIGN" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$HMAC_KEY -binary | openssl base64 -A)

AUTHORIZATION="Authorization: acquia-http-hmac realm=\"${REALM}\",id=\"${ID}\",nonce=\"${NONCE}\",version=\"2.0\",headers=\"\",signature=\"${SIGNATURE}\""

curl "https://${HOST}${PATH_INFO}?${QUERY_STRING}" \
  -H "$AUTHORIZATION" \
  -H 'Accept: application/vnd.bitpro-mapi-20180503+json' \
  -H "X-Authorization-timestamp: ${TIME}"
