"""All that the description of the service allows, and much that it does not: no request is its fault."""

from __future__ import annotations

import hypothesis
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.http_service import TOKEN, Parts, app_over

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 12
HEADERS = {"Host": "127.0.0.1:9100", "Authorization": f"Bearer {TOKEN}"}


def test_no_request_is_the_service_s_fault(parts: Parts) -> None:
    described = schemathesis.openapi.from_asgi("/openapi.json", app_over(parts), headers=HEADERS)
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) > 15
    for operation in operations:
        _ask_much_of(operation)


def _ask_much_of(operation: schemathesis.APIOperation) -> None:
    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    def ask(case: schemathesis.Case) -> None:
        response = case.call(headers=HEADERS)
        case.validate_response(response, checks=CHECKS)

    ask()
