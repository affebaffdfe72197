"""Which URLs and addresses are refused, in all their spellings."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from leadvibe.lib.outbound import AddressRefusedError, check_url
from leadvibe.lib.outbound.addresses import is_public
from leadvibe.lib.outbound.places import place_of

PUBLIC = [
    "1.1.1.1",
    "93.184.215.14",
    "172.32.0.1",
    "100.128.0.1",
    "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
    "64:ff9b::101:101",  # 1.1.1.1 by NAT64
]

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # 127.0.0.1, IPv4-compatible
    "::808:808",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",  # Teredo
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "2002:808:808::",
    "3fff::1",
    "4000::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_told(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_all_others_are_told_too(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", [each for each in PRIVATE if "%" not in each])
def test_a_url_with_a_private_address_is_not_accepted(address):
    host = f"[{address}]" if ":" in address else address

    with pytest.raises(AddressRefusedError, match="private address; use one"):
        check_url(f"https://{host}/hook")
    check_url(f"https://{host}/hook", allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "http://hooks.example.com:8080/a/b?c=d&e=%20",
        "https://xn--mnchen-3ya.example/",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]:8443/",
        "HTTPS://Hooks.Example.COM/",
        "https://a_b.example/?q={x}|y",
    ],
)
def test_a_url_of_the_usual_form_is_accepted(url):
    check_url(url)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "app.localhost"])
def test_the_names_of_this_machine_are_private(host):
    with pytest.raises(AddressRefusedError, match="private address"):
        check_url(f"http://{host}/")


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("", "percent-encoded"),
        ("hooks.example.com/x", "begin with https://"),
        ("ftp://hooks.example.com/", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("gopher://hooks.example.com/", "begin with https://"),
        ("javascript:alert(1)", "begin with https://"),
        ("https:///path", "names no host"),
        ("https://?x", "names no host"),
        ("https://user@hooks.example.com/", "leave out the user name"),
        ("https://user:word@hooks.example.com/", "leave out the user name"),
        ("https://hooks.example.com@127.0.0.1/", "leave out the user name"),
        ("https://hooks.example.com:99999999999999999999/", "from 1 to 65535"),
        ("https://@hooks.example.com/", "leave out the user name"),
        ("https://hooks.example.com\\@127.0.0.1/", "percent-encoded"),
        ("https://hooks.example.com/\r\nX: y", "percent-encoded"),
        ("https://hooks.example.com/a b", "percent-encoded"),
        ("https://hooks.exa\tmple.com/", "percent-encoded"),
        ("https://hooks.example.com:0/", "from 1 to 65535"),
        ("https://hooks.example.com:65536/", "from 1 to 65535"),
        ("https://hooks.example.com:-1/", "read like"),
        ("https://hooks.example.com:http/", "read like"),
        ("https://hooks.example.com:8080:80/", "read like"),
        ("https://hooks..example.com/", "not a valid host name"),
        ("https://-hooks.example.com/", "not a valid host name"),
        (f"https://{'a' * 64}.example/", "not a valid host name"),
        ("https://hooks%2eexample.com/", "not a valid host name"),
        ("https://[::1/", "not a valid IPv6 address"),
        ("https://[::1]x/", "read like"),
        ("https://[1.1.1.1]/", "not a valid IPv6"),
        ("https://[v1.a]/", "not a valid IPv6"),
        ("https://hooks.example.com/" + "a" * 2048, "longer than 2048"),
    ],
)
def test_a_url_of_another_form_is_refused_with_a_remedy(url, remedy):
    with pytest.raises(AddressRefusedError, match=remedy):
        check_url(url, allow_private=True)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "localhost.",
        "127.0.0.01",
        "1.1.1.1.1",
        "256.1.1.1",
        "0x",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "[::1%25lo]",
        "①②⑦.⓪.⓪.①",
        "\uff11\uff12\uff17.0.0.1",  # digits of full width
        "127。0。0。1",
        "ⓛocalhost",
        "münchen.example",
    ],
)
def test_odd_spellings_of_hosts_are_refused_even_where_private_ones_are_allowed(host):
    with pytest.raises(AddressRefusedError):
        check_url(f"http://{host}/", allow_private=True)


def test_a_place_says_where_to_go_and_how_to_name_it():
    place = place_of("HTTP://Hooks.Example.com:8080?x=1#fragment")

    assert (place.scheme, place.host, place.port) == ("http", "hooks.example.com", 8080)
    assert place.target == "/?x=1"
    assert place.authority == "hooks.example.com:8080"
    assert place_of("https://[2606:4700:0::1111]:443/").authority == "[2606:4700::1111]"
    assert place_of("https://hooks.example.com:80/").authority == "hooks.example.com:80"
