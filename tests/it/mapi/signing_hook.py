"""Signs what schemathesis sends, once the request is ready to go."""
import base64
import hashlib
import hmac
import os
import time
import uuid
from urllib.parse import urlsplit

import schemathesis
from requests.auth import AuthBase

KEY = os.environ["BITPRO_ID"]
SECRET = base64.b64decode(os.environ["BITPRO_SECRET"])


class Signed(AuthBase):
    def __call__(self, request):
        parts = urlsplit(request.url)
        nonce, now = str(uuid.uuid4()), str(int(time.time()))
        lines = [
            request.method,
            parts.netloc,
            parts.path or "/",
            parts.query,
            f"id={KEY}&nonce={nonce}&realm=Bitpro&version=2.0",
            now,
        ]
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            content_type = request.headers.get("Content-Type", "")
            if isinstance(content_type, bytes):
                content_type = content_type.decode("latin-1")
            lines += [content_type.lower(), digest]
            request.headers["X-Authorization-Content-SHA256"] = digest
        signature = base64.b64encode(hmac.digest(SECRET, "\n".join(lines).encode(), "sha256")).decode()
        request.headers["X-Authorization-Timestamp"] = now
        request.headers["Authorization"] = (
            f'acquia-http-hmac realm="Bitpro",id="{KEY}",nonce="{nonce}",version="2.0",headers="",signature="{signature}"'
        )
        return request


schemathesis.auth.set_from_requests(Signed())
