"""Stand-ins for those who say who somebody is: DingTalk, Feishu and an OpenID Connect server, all on this machine."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

TOKEN = "t0ken-of-the-person-at-the-provider"
CODE = "c0de-that-the-browser-brings-back"
SECRET = "s3cret-of-the-portal-at-the-provider"
CLIENT = "the portal"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class IdentityProvider:
    """Says that whoever comes is the person `claims` tells of; `answers` replaces what it says at a path.

    An answer is a JSON value, bytes as they are, or a status.
    """

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"sub": "7", "name": "王小明"}
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.key, self.algorithm = KEY, "RS256"
        self.nonce = self.challenge = ""
        self.refuses = False
        self.hangs = threading.Event()
        self.drips = threading.Event()
        self.let_go = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def visited(self, address: str) -> str:
        """Note what the browser brings along, as a provider does; return the state to send it back with."""
        brought = dict(parse_qsl(urlsplit(address).query))
        self.nonce, self.challenge = brought.get("nonce", ""), brought.get("code_challenge", "")
        return brought["state"]

    def sent_back(self, address: str) -> str:
        """Return where a browser goes on to whose person says yes, or no while `refuses`."""
        state = self.visited(address)
        said = {"error": "access_denied"} if self.refuses else {"code": CODE}
        return f"{dict(parse_qsl(urlsplit(address).query))['redirect_uri']}?{urlencode({**said, 'state': state})}"

    def id_token(self, **news: Any) -> str:
        now = int(time.time())
        said = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": self.nonce, **self.claims}
        claims = {name: value for name, value in (said | news).items() if value is not None}
        key: Any = self.key if self.algorithm == "RS256" else "x" * 32
        return jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": "1"})

    def _answer(self, path: str, said: dict[str, Any]) -> Any:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        known: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
                "userinfo_endpoint": f"{self.address}/userinfo",
            },
            "/keys": {"keys": [{**public, "kid": "1", "alg": "RS256", "use": "sig"}]},
            "/userinfo": {"sub": "7", "name": "王小明"},
            # https://open.dingtalk.com/document/development/obtain-user-token and dingtalk-retrieve-user-information
            "/v1.0/oauth2/userAccessToken": {
                **{"accessToken": TOKEN, "refreshToken": f"again-{TOKEN}", "expireIn": 7200, "corpId": "corp1"},
            },
            "/v1.0/contact/users/me": {
                **{"nick": "王小明", "avatarUrl": "https://example.com/a.jpg", "mobile": "13800138000"},
                **{"openId": "open-7", "unionId": "union-7", "stateCode": "86"},
            },
            # https://open.feishu.cn/document/server-docs/authentication-management
            "/open-apis/auth/v3/app_access_token/internal/": {
                **{"code": 0, "msg": "ok", "app_access_token": f"app-{TOKEN}", "expire": 7200},
            },
            "/open-apis/authen/v1/access_token": {
                **{"code": 0, "msg": "success", "data": {"access_token": TOKEN, "refresh_token": f"again-{TOKEN}"}},
            },
            "/open-apis/authen/v1/user_info": {
                **{"code": 0, "msg": "success", "data": {"name": "王小明", "open_id": "ou_7", "union_id": "on_7"}},
            },
        }
        if path in self.answers:
            return self.answers[path]
        if path != "/token":
            return known.get(path, 404)
        verifier = hashlib.sha256(said.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(verifier).decode().rstrip("=") != self.challenge or said.get("code") != CODE:
            return 400
        return {"access_token": TOKEN, "token_type": "Bearer", "id_token": self.id_token()}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                self._respond(json.loads(body) if body.startswith("{") else dict(parse_qsl(body)))

            def do_GET(self) -> None:
                self._respond({})

            def _respond(self, said: dict[str, Any]) -> None:
                if urlsplit(self.path).path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.sent_back(self.path))
                    self.end_headers()
                    return
                provider.asked.append((self.path, said))
                provider.headers.append(dict(self.headers.items()))
                if provider.hangs.is_set():
                    provider.let_go.wait(20)
                    return
                answer = provider._answer(urlsplit(self.path).path, said)
                self.send_response(answer if isinstance(answer, int) else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Location", f"{provider.address}/elsewhere")
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                while provider.drips.is_set() and not provider.let_go.wait(0.1):
                    self.wfile.write(b" ")
                self.wfile.write(content)

            def log_message(self, *arguments: Any) -> None: ...

        return Handler
