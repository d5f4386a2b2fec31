"""Which network addresses a model's server may have. Pure."""

import ipaddress
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class AddressPolicy:
    """Which addresses may be connected to: public ones always, others only as named.

    `networks` are CIDR texts from the operator's list; `allows_loopback` is for a server that the operator
    configured on this machine.
    """

    networks: tuple[str, ...] = ()
    allows_loopback: bool = False

    def allows(self, address: str) -> bool:
        ip = _innermost(ipaddress.ip_address(address.partition("%")[0]))
        if ip.is_loopback and self.allows_loopback:
            return True
        if any(ip in ipaddress.ip_network(text, strict=False) for text in self.networks):
            return True
        if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL_UNICAST:
            return False
        return ip.is_global and not ip.is_multicast


def literal(host: str) -> str | None:
    """The address that a host's text is in any notation (`0x7f.1`, `2130706433`, `[::1]`); None for a name."""
    bare = host.strip("[]").partition("%")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(bare))
    except (OSError, UnicodeError):
        return None


# All that IANA has given out as public IPv6; outside it lie old forms that wrap an IPv4 address or a site.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _innermost(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 one only wraps."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
