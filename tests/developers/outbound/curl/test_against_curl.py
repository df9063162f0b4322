"""The judge of imports: curl and the product send the same command to a server, which gets the same requests."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from accounts.models import User
from developers.outbound import curl
from developers.outbound.transport.sending import send
from tests.developers.outbound.servers import LocalServer, response, serving

pytestmark = [pytest.mark.curl, pytest.mark.matrix]

# Of the sender itself, whichever it is.
HERE = re.compile(r"\bU(?=[/'\s]|$)")
OWN = {b"user-agent", b"accept-encoding", b"connection"}

BOUNDARY = re.compile(rb"boundary=(\S+)")
FORM = "application/x-www-form-urlencoded"
JSON, XML = "-H 'Content-Type: application/json'", "-H 'Content-Type: text/xml'"
# Not here: parameters without a name, which an API cannot hold, and letters beyond ASCII in a query, which curl sends
# as bytes and the sender as escapes.
COMMANDS = [
    # Queries.
    *("U/x", "U", "U/", "U/x?a=1", "U/x?a=b%20c", "U/x?a=b+c", "U/x?caf%E9=1", "U/x?pretty", "U/x?pretty="),
    *("U/x?a=1\\&b=2", "'U/x?a=1&b=2&a=3'", "'U/x?a=1&&b=2&'", "'U/x?&a=1'", "'U/x?q=%2f%2F/'", "'U/x?a[]=1' -g"),
    *("'U/x?q=a:b,c;d'", "'U/x?q=(1)*!'", "'U/x?q=%F0%9F%90%A7'", "'U/x?a=1?b=2'", "'U/x?a==1'", "'U/x?a=%'"),
    *("'U/x?q=%7Bname%7D'", "'U/x?a=~-._'", "'U/x?a=1#part'", "U/x#part", "'U/x?a=%zz'", "U/x?token=b+c"),
    *("'U/x?'", "'U/x?q={\"a\":1}' -g", "'U/x?q=a|b'", "'U/x?' -G -d a=1"),
    # Paths.
    *("U/a%20b", "U/caf%E9", "U/a/../b", "U/./a", "U//a//b", "'U/a;b=1'", "U/a%2Fb", "U/a:b@c", "U/a,b", "'U/a*b'"),
    *("'U/{a}' -g", "'U/a|b'", "'U/a\"b'", "'U/a<b>c'", "'U/a^b`c'", "U/café", "U/é%20", "U/a/..", "U/..//b"),
    "U/%2e%2E/b",
    # Methods.
    *("-X GET U/x", "-X POST U/x", "-X PUT U/x", "-X PATCH U/x", "-X DELETE U/x", "--request DELETE U/x", "-XPUT U/x"),
    # Headers.
    *("-H 'X-Key: 1' U/x", "-H 'X-Key:1' U/x", "-H 'X-Key:   1  ' U/x", "-H 'X-Empty;' U/x", "-H 'Accept: a/b' U/x"),
    *("-H 'accept: a/b' U/x", "-H 'X-A: 1' -H 'X-A: 2' U/x", "-H 'X-Name: Zoë' U/x", "-H 'Content-Type: a/b' U/x"),
    *("-u alice:secret U/x", "-u 'alice:a b:c' U/x", "--oauth2-bearer abc U/x", "-u a:b -H 'Authorization: own' U/x"),
    *("-b a=1 U/x", "-b a=1 -b c=2 U/x", "-b 'a=1; b=2' U/x", "-b a=1 -H 'Cookie: own=1' U/x", "-e http://a.test U/x"),
    *("-r 0-99 U/x", "-e 'http://a.test;auto' U/x", "--referer http://a.test U/x", "-H 'Referer: x' -e y U/x"),
    *("-H Accept: U/x", "-H Content-Type: -d a=1 U/x", "--json '{}' -H accept: U/x", "-b '' U/x", "-H X-None: U/x"),
    # Bodies.
    *("-d a=1 U/x", "-d a=1 -d b=2 U/x", "-d 'a=b c' U/x", "--data-raw @a U/x", "--data-binary 'a=1' U/x", "-d '' U/x"),
    *("--data-urlencode 'a=b c' U/x", "--data-urlencode 'a b&c' U/x", "--data-urlencode '=b c' U/x"),
    *("--data-urlencode 'a=é/~-._*' U/x", "-d a=1 --data-urlencode 'b=c d' U/x", "-d '{\"a\": 1}' U/x"),
    *(f"-d '{{}}' {JSON} U/x", f"-d 'no json' {JSON} U/x", f"-d ' ' {JSON} U/x"),
    "-d '{}' -H 'content-type: a/json' U/x",
    *(f"-d '<a/>' {XML} U/x", f"-d '' {XML} U/x", f"-d '' {JSON} U/x", f"-d '{{}}' -X DELETE {JSON} U/x"),
    *("-d 'a=é' U/x", "-d '  a=1' U/x", "-d $'a\\nb' U/x", "-d a=1 -X GET U/x"),
    "-d '[1]' -H 'Content-Type: a/b+json' U/x",
    *("--json '{\"a\": 1}' U/x", "--json '{\"a\":' --json ' 1}' U/x", "--json '{}' -H 'Content-Type: a/b' U/x"),
    *("--json '{}' -H 'Accept: a/b' U/x", "--json '{}' -X PUT U/x", "--json 'no json' U/x", "--json '{}' -X GET U/x"),
    *("-d '' -X GET U/x", "-d '' -X DELETE U/x", "-d '' -X PUT U/x", "-d 'a=1&&' U/x"),
    # Forms that rows hold as they were spelled, and forms that they cannot hold.
    *("-d 'a=b+c&d=%20&e' U/x", "-d 'caf%E9=1' U/x", "-d 'a=%2f&a=%2F' U/x", "-d '&&a=1&&&b=2&' U/x", "-d a U/x"),
    *("-d '=1' U/x", "-d '&' U/x", "-d 'a=1&=2' U/x", "-d '{\"a\": \"b=c&d\"}' U/x", "-d '[1]' U/x", "-d '😀=é ü' U/x"),
    *("-d $'a=1&\\n' U/x", "-d $'\\n' U/x", "-d $'a=1&&\\n&b' U/x"),
    *("-d $'a=1\\r\\n2' U/x", "-d $'a=\\tb' U/x", "-d $'a=\\x01' U/x", "-d 'token=a%2fb' -d 'q=~-._' U/x"),
    *("-d ' a = b ' U/x", "-d 'a[]=1&a[]=2' U/x", "-d 'a=b=c;d' U/x", "-d 'a=%zz%' U/x"),
    "--data-urlencode 'a b=c' U/x",
    *(f"-d a=1 -H 'Content-Type: {FORM}; charset=utf-8' U/x", f"-d a=1 -H 'content-type: {FORM}' -X PUT U/x"),
    # Forms of several parts; the boundary is each one's own.
    *("-F a=b U/x", "-F a=b -F c=d -F a=e U/x", "-F a= U/x", "-F 'a= b ' U/x", "--form-string 'a= b ' U/x"),
    *("-F 'a=b;type=application/json' U/x", "--form-string 'a=@b;type=x' U/x", "--form-string 'a=<b' U/x"),
    *("-F 'a=\"x\\\"y\\\\z\";type=a/b' U/x", "-F 'a=\"b\"c' U/x", "-F 'a=\"b;c' U/x", "-F 'a=b;c' U/x"),
    "-F 'a=b,c' U/x",
    *("-F 'a\"b=c' U/x", "-F $'a\\nb=c\\nd' U/x", "-F 'é=ü' U/x", "-F 'a\\b=c' U/x", "-F 'a%22=b' U/x"),
    "-F 'a=b==c' U/x",
    *("-F 'a=b;type=text/plain; charset=utf-8' U/x", "-F 'a=b ;TYPE= x/y ' U/x", "-F 'a=b;type=x/y;type=c/d' U/x"),
    *("-F a=b -G U/x", "-F a=b -X GET U/x", "-F a=b -X PUT 'U/x?c=1'", "-F a=b -H 'X-Key: 1' U/x", "-Fa=b U/x"),
    *("-F a=b -H 'Content-Type: multipart/form-data' U/x", "-F 'token=s3cret' U/x", "-F 'a={\"b\": 1}' U/x"),
    *("-F 'a=\"b\";type=x/y' U/x", "-F 'a=  \"b\" ;type=x/y;z=1' U/x", "-F $'a=\\r\\nb\\r\\n--c' U/x"),
    "-F 'a b= c d' U/x",
    # Bodies that become queries, and queries of their own.
    *("-G -d a=1 U/x", "-G -d a=1 -d b=2 'U/x?c=3'", "-G --data-urlencode 'a=b c' U/x", "-G -d 'a=b+c' U/x", "-G U/x"),
    *("--url-query a=1 U/x", "--url-query 'a=b c' 'U/x?d=1'", "--url-query '+a=b%20c' U/x", "--url-query 'a b' U/x"),
    *("--url-query a=1 -d b=2 U/x", "--url U/x", "-G -d a=1 -X POST U/x", "-G -d a=1 -X DELETE U/x"),
    *("-G -d a=%2F U/x", "--url-query +a=%2F U/x", "-G --data-urlencode 'a=é+/' U/x"),
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with serving(response(b"{}")) as local:
        yield local


def seen(request: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Return the request line, the headers in order of their names, and the body, with one boundary for all."""
    if match := BOUNDARY.search(request):
        others = (request.count(match[1]) - 1) * len(match[1])
        length = re.compile(rb"(?<=\r\ncontent-length: )\d+", re.IGNORECASE)
        request = length.sub(lambda whole: b"%d" % (int(whole[0]) - others), request)
        request = request.replace(match[1], b"")
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    parts = [header.partition(b":") for header in headers]
    return line, sorted(b"%s: %s" % (n.lower(), v.strip()) for n, _, v in parts if n.lower() not in OWN), body


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("loopback")
def test_a_pasted_command_is_sent_as_curl_sends_it(alice: User, server: LocalServer, command: str) -> None:
    text = f"curl -sS {HERE.sub(server.url, command)}"
    before = len(server.requests)

    subprocess.run(["bash", "-c", f"{text} --max-time 20 --noproxy '*'"], check=True, capture_output=True, timeout=30)
    send(curl.read(text).recipe, owner=alice)

    by_curl, by_us = server.requests[before:]
    assert seen(by_us) == seen(by_curl)
