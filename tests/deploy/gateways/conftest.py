"""nginx as a gateway between a service and a node that answer what a test says."""

from collections.abc import Iterator

import pytest

from tests.gateway import OWNER, Gateway, StandIn


@pytest.fixture(scope="module")
def running_node() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture(scope="module")
def running_service() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(
    running_node: StandIn, running_service: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), running_service.port, running_node.port) as running:
        yield running


@pytest.fixture
def node(running_node: StandIn) -> StandIn:
    running_node.received.clear()
    running_node.answers(204, OWNER)
    return running_node


@pytest.fixture
def service(running_service: StandIn) -> StandIn:
    running_service.received.clear()
    running_service.answers(200, body=b"served")
    return running_service
