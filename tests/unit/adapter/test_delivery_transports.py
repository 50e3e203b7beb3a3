"""The scheme of a function's URL chooses how it is reached."""

import pytest

from adapter.delivery.http import HttpDelivery
from adapter.delivery.transports import AdapterSide, check_function_url, open_delivery
from podjobs.contract.message_contracts import STEPS


@pytest.mark.parametrize("url", ["http://encoding/", "https://encoding.example.org:8080/path", "HTTP://encoding"])
async def test_open_delivery_http_url_is_delivered_over_http(url):
    assert check_function_url(url) == url
    delivery = open_delivery(url, STEPS, AdapterSide("one", 5, None, lambda: None))
    assert isinstance(delivery, HttpDelivery)
    await delivery.close()


@pytest.mark.parametrize("url", ["encoding", "", "/encoding", "gopher://s3cret@encoding/", "file:///encoding"])
def test_check_function_url_unknown_scheme_names_those_that_are_supported(url):
    with pytest.raises(ValueError, match="begins with http: or https: or rq: or lambda:") as caught:
        check_function_url(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http:", "http:///path", "https://:8080/", "http://[::1"])
def test_check_function_url_http_without_a_host_is_refused(url):
    with pytest.raises(ValueError, match=r"with a host|Invalid IPv6 URL"):
        check_function_url(url)
