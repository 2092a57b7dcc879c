"""Values that nobody means well with, for any field, and ways to spoil a body."""

import json
from urllib.parse import quote_from_bytes, urlencode

from hypothesis import strategies as st

Fields = list[tuple[str, object]]
FORM = "application/x-www-form-urlencoded"
TEXTS = (
    *(
        "",
        " ",
        "0",
        "-1",
        "+2",
        "２",
        "²",
        "٣",
        "1e3",
        "0x2",
        "02",
        "2.0",
        "2 ",
        "99",
        "13",
        "10000",
        "9" * 40,
        "1" * 5000,
    ),
    *("NaN", "Infinity", "null", "true", "undefined", "[]", "{}", "\0", "2\0", "\ufeff2", "\u202e2", "\ud800"),
    *("<script>alert(1)</script>", "'; DROP TABLE recharge_order;--", "=cmd|' /C calc'!A0", "{{7*7}}", "%00", "%ff"),
    *(
        "../../etc/passwd",
        "a\r\nSet-Cookie: x=1",
        "充值成功",
        "𝟚",
        "\u2028",
        "x" * 70,
        "50.00",
        "50",
        "500",
        "49.5",
        "-50",
    ),
)
ANY = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=6),
    st.integers(-5, 20),
    st.sampled_from([None, True, False, 2.5, float("nan"), float("inf"), 10**30, [], {}, [2], {"status": 2}, [["2"]]]),
)
NAMES = st.sampled_from(
    (
        *("order_no", "order_number", "status", "mobile", "amount", "fanli", "cost_price", "arrived_amount"),
        *("failReason", "reason", "sign", "card_id", "status[]", "status[0]", "Status", "order_no ", "code", "msg"),
        *("data", "time", "x"),
    )
)
DEEP = ("[" * 5000 + "]" * 5000, '{"a":' * 3000 + "1" + "}" * 3000, '{"order_no":' + "[" * 2000)
WEB_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
SPOILINGS = ("cut", "flip", "prefix", "double", "bom", "gbk", "utf16", "nul", "pad", "deep", "page", "latin")


def text_of(value: object) -> str:
    """Return how a form writes a value."""
    text = value if isinstance(value, str) else json.dumps(value) if isinstance(value, list | dict) else str(value)
    return text.encode("utf-8", "replace").decode()


def as_form(fields: Fields) -> bytes:
    return urlencode([(name, text_of(value)) for name, value in fields]).encode()


def as_json(fields: Fields) -> bytes:
    """Write an object that may have a name twice."""
    pairs = ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in fields)
    return ("{" + pairs + "}").encode("utf-8", "surrogatepass")


def as_multipart(fields: Fields) -> bytes:
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), text_of(value).encode())
        for name, value in fields
    ]
    return b"".join(parts) + b"--b--\r\n"


@st.composite
def spoiled(draw: st.DrawFn, body: bytes) -> bytes:
    """Spoil a body in one way."""
    how = draw(st.sampled_from(SPOILINGS))
    place = draw(st.integers(0, max(0, len(body) - 1)))
    if how == "cut":
        return body[:place]
    if how == "flip":
        return body[:place] + draw(st.binary(max_size=3)) + body[place + draw(st.integers(0, 2)) :]
    whole = {
        "prefix": b"<br />\n<b>Warning</b>: mysqli_connect()" + body,
        "double": body + body,
        "bom": b"\xef\xbb\xbf" * 2 + body,
        "gbk": body.decode("utf-8", "replace").encode("gb18030", "replace"),
        "utf16": body.decode("utf-8", "replace").encode("utf-16", "replace"),
        "nul": body[:place] + b"\0" + body[place:],
        "pad": body + b"&x=" + b"y" * draw(st.sampled_from([10, 15_000, 70_000])),
        "deep": draw(st.sampled_from(DEEP)).encode(),
        "page": WEB_PAGE.encode(),
        "latin": quote_from_bytes(body).encode(),
    }
    return whole[how]
