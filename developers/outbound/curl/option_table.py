"""Every option of curl 7.88 and of the versions of curl 8, and what becomes of it here. From curl's manual."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext_lazy

# The long names of curl's short options.
SHORT = {
    "0": "http1.0",
    "1": "tlsv1",
    "2": "sslv2",
    "3": "sslv3",
    "4": "ipv4",
    "6": "ipv6",
    "#": "progress-bar",
    ":": "next",
    "a": "append",
    "A": "user-agent",
    "b": "cookie",
    "B": "use-ascii",
    "c": "cookie-jar",
    "C": "continue-at",
    "d": "data",
    "D": "dump-header",
    "e": "referer",
    "E": "cert",
    "f": "fail",
    "F": "form",
    "g": "globoff",
    "G": "get",
    "h": "help",
    "H": "header",
    "i": "include",
    "I": "head",
    "k": "insecure",
    "j": "junk-session-cookies",
    "J": "remote-header-name",
    "K": "config",
    "l": "list-only",
    "L": "location",
    "m": "max-time",
    "M": "manual",
    "n": "netrc",
    "N": "no-buffer",
    "o": "output",
    "O": "remote-name",
    "p": "proxytunnel",
    "P": "ftp-port",
    "q": "disable",
    "Q": "quote",
    "r": "range",
    "R": "remote-time",
    "s": "silent",
    "S": "show-error",
    "t": "telnet-option",
    "T": "upload-file",
    "u": "user",
    "U": "proxy-user",
    "v": "verbose",
    "V": "version",
    "w": "write-out",
    "x": "proxy",
    "X": "request",
    "y": "speed-time",
    "Y": "speed-limit",
    "z": "time-cond",
    "Z": "parallel",
}
DATA = {"data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json"}
FORM_OPTIONS = {"form", "form-string"}
READ_WITH_VALUE = {
    *DATA,
    *FORM_OPTIONS,
    *("request", "header", "user-agent", "referer", "cookie", "user", "oauth2-bearer", "url", "url-query"),
    *("range", "continue-at", "proto-default"),
}
READ = {"get", "location", "location-trusted", "globoff", "basic", "next"}


class Reason:
    """Why options are left out, as a sentence for a `count` of them, and their names: with a value, and without one."""

    def __init__(self, sentence: Any, with_value: str = "", flags: str = "") -> None:
        self.sentence = sentence
        self.with_value = frozenset(with_value.split())
        self.flags = frozenset(flags.split())


# Translators: in these sentences %(options)s are options of curl, such as --silent, --output.
LEFT_OUT = (
    Reason(
        ngettext_lazy(
            "%(options)s is left out: certificates are always checked.",
            "%(options)s are left out: certificates are always checked.",
            "count",
        ),
        flags="insecure doh-insecure",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: that changes only what curl prints or saves.",
            "%(options)s are left out: that changes only what curl prints or saves.",
            "count",
        ),
        """cookie-jar create-file-mode dump-header etag-save hsts libcurl output output-dir stderr trace trace-ascii
        trace-config write-out alt-svc dump-ca-embed""",
        """buffer clobber create-dirs fail fail-early fail-with-body include progress-bar progress-meter raw
        remote-header-name remote-name remote-name-all remote-time remove-on-error show-error silent skip-existing
        styled-output suppress-connect-headers trace-ids trace-time use-ascii verbose xattr out-null""",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: calls have their own limits of time and size, and are sent once.",
            "%(options)s are left out: calls have their own limits of time and size, and are sent once.",
            "count",
        ),
        """connect-timeout expect100-timeout happy-eyeballs-timeout-ms keepalive-cnt keepalive-time limit-rate
        max-filesize max-redirs max-time parallel-max parallel-max-host rate retry retry-delay retry-max-time
        speed-limit speed-time""",
        "keepalive parallel parallel-immediate retry-all-errors retry-connrefused",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: calls choose the connection themselves.",
            "%(options)s are left out: calls choose the connection themselves.",
            "count",
        ),
        """connect-to dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url haproxy-clientip interface
        ip-tos ipfs-gateway local-port proto proto-redir resolve vlan-priority""",
        """disable disallow-username-in-url haproxy-protocol http0.9 http1.0 http1.1 http2 http3
        http2-prior-knowledge http3-only ignore-content-length ipv4 ipv6 mptcp tcp-fastopen tcp-nodelay
        metalink junk-session-cookies""",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: each response is decompressed.",
            "%(options)s are left out: each response is decompressed.",
            "count",
        ),
        flags="compressed tr-encoding",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: calls use no proxy.",
            "%(options)s are left out: calls use no proxy.",
            "count",
        ),
        """noproxy preproxy proxy proxy-cacert proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile
        proxy-header proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers
        proxy-tlsauthtype proxy-tlspassword proxy-tlsuser proxy-user proxy1.0 socks4 socks4a socks5
        socks5-gssapi-service socks5-hostname""",
        """proxy-anyauth proxy-basic proxy-ca-native proxy-digest proxy-http2 proxy-http3 proxy-insecure
        proxy-negotiate proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1 proxytunnel
        socks5-basic socks5-gssapi socks5-gssapi-nec""",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: calls choose their own settings of TLS and have no client certificates.",
            "%(options)s are left out: calls choose their own settings of TLS and have no client certificates.",
            "count",
        ),
        """cacert capath cert cert-type ciphers crlfile curves ech egd-file engine key key-type pass pinnedpubkey
        random-file sigalgs tls-max tls13-ciphers tlsauthtype tlspassword tlsuser""",
        """alpn ca-native cert-status doh-cert-status false-start npn sessionid ssl ssl-allow-beast
        ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort ssl-sessions sslv2 sslv3 tls-earlydata
        tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3""",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: that belongs to another protocol than HTTP.",
            "%(options)s are left out: that belongs to another protocol than HTTP.",
            "count",
        ),
        """delegation ftp-account ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode hostpubmd5
        hostpubsha256 knownhosts krb login-options mail-auth mail-from mail-rcpt pubkey quote sasl-authzid
        service-name telnet-option tftp-blksize upload-flags""",
        """append compressed-ssh crlf disable-eprt disable-epsv eprt epsv ftp-create-dirs ftp-pasv ftp-pret
        ftp-skip-pasv-ip ftp-ssl ftp-ssl-ccc ftp-ssl-control ftp-ssl-reqd list-only mail-rcpt-allowfails sasl-ir
        tftp-no-options""",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: files are not read; if the server wants a password, send it with -u or in a "
            "header.",
            "%(options)s are left out: files are not read; if the server wants a password, send it with -u or in a "
            "header.",
            "count",
        ),
        "netrc-file",
        "netrc netrc-optional",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: quotation marks in the names of fields are written as %%22.",
            "%(options)s are left out: quotation marks in the names of fields are written as %%22.",
            "count",
        ),
        flags="form-escape",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: calls shorten a path with .. in it.",
            "%(options)s are left out: calls shorten a path with .. in it.",
            "count",
        ),
        flags="path-as-is",
    ),
    Reason(
        ngettext_lazy(
            "%(options)s is left out: redirects keep to the rules of HTTP: after 301 and 302 a POST becomes a GET, "
            "after 303 all do.",
            "%(options)s are left out: redirects keep to the rules of HTTP: after 301 and 302 a POST becomes a GET, "
            "after 303 all do.",
            "count",
        ),
        flags="post301 post302 post303 follow",
    ),
)

FILES = gettext_lazy("Files are not read. Write the options of that file into the command itself.")
MANUAL = gettext_lazy("That asks curl for its manual. Paste a command that calls a URL.")
CHALLENGES = gettext_lazy(
    "The option %(option)s answers a challenge of the server, which calls here cannot do. They send a password at "
    "once, with -u or in a header."
)
# Both read a request that is not in the command, or send one that cannot be kept here.
REFUSED_WITH_VALUE: dict[str, str | Promise] = {
    "abstract-unix-socket": (
        SOCKETS := gettext_lazy("The option %(option)s calls a program on the same machine, not a server.")
    ),
    "unix-socket": SOCKETS,
    "aws-sigv4": gettext_lazy("The option %(option)s signs each request anew, which calls here cannot do."),
    "config": FILES,
    "etag-compare": gettext_lazy("Files are not read. Send the ETag itself: -H 'If-None-Match: \"…\"'."),
    "request-target": gettext_lazy("The option %(option)s sends another path than that of the URL. Write the URL so."),
    "time-cond": gettext_lazy("The option %(option)s is not offered. Send its date: -H 'If-Modified-Since: …'."),
    "upload-file": gettext_lazy("Files are not read. Paste what is to be sent itself, after -d."),
    "variable": gettext_lazy("Variables of curl are not filled in. Write their values into the command."),
}
REFUSED: dict[str, str | Promise] = {
    "anyauth": CHALLENGES,
    "digest": CHALLENGES,
    "negotiate": CHALLENGES,
    "ntlm": CHALLENGES,
    "ntlm-wb": CHALLENGES,
    "head": gettext_lazy("A HEAD request has no response to show. Use GET instead."),
    "help": MANUAL,
    "manual": MANUAL,
    "version": MANUAL,
}

REASONS = {name: reason for reason in LEFT_OUT for name in reason.with_value | reason.flags}
WITH_VALUE = READ_WITH_VALUE | REFUSED_WITH_VALUE.keys() | {name for each in LEFT_OUT for name in each.with_value}
FLAGS = READ | REFUSED.keys() | {name for each in LEFT_OUT for name in each.flags}
