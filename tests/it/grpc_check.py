"""Asks a running gatewayd over its admin socket with nothing but stock gRPC for Python: no .proto file, no generated code.

    grpc_check.py SOCKET check    checks health, reflection and calls; prints one JSON document with what it saw
    grpc_check.py SOCKET watch    prints the overall health, one word a line, until the daemon ends the stream

Needs grpcio, grpcio-health-checking and grpcio-reflection. Exits with 1 and a sentence when something is not as it
should be.
"""

import json
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

LIMIT_SECONDS = 10
SERVICE = "gateway.admin.v1.Admin"
WHOLE = ["", "readiness", "startup", "liveness", SERVICE]
PARTS = ["config", "listener", "store", "log", "channels", "cron", "nodes", "memory"]
OFFERED = {
    SERVICE,
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
}


def require(condition, sentence):
    if not condition:
        sys.exit(sentence)


def open_channel(path):
    # Without this option the client sends the socket's path, percent-encoded, as :authority, which HTTP/2 servers
    # that check it refuse.
    return grpc.insecure_channel("unix:" + path, options=[("grpc.default_authority", "localhost")])


def word(answer):
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def check_health(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    seen = {}
    for name in WHOLE + PARTS:
        seen[name] = word(stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=LIMIT_SECONDS))
    for name in WHOLE:
        require(seen[name] == "SERVING", f"the health of {name!r} is {seen[name]}, not SERVING")
    first = next(stub.Watch(health_pb2.HealthCheckRequest(), timeout=LIMIT_SECONDS))
    require(word(first) == "SERVING", f"Watch begins with {word(first)}, not SERVING")
    try:
        stub.Check(health_pb2.HealthCheckRequest(service="nonsense"), timeout=LIMIT_SECONDS)
        sys.exit("the health of a service that does not exist is not an error")
    except grpc.RpcError as error:
        require(error.code() == grpc.StatusCode.NOT_FOUND, f"an unknown service answers {error.code()}")
    return seen


class Admin:
    """The admin service, learnt from the daemon by reflection."""

    def __init__(self, channel, pool):
        self.channel = channel
        self.service = pool.FindServiceByName(SERVICE)

    def _method(self, name, kind):
        method = self.service.FindMethodByName(name)
        request, reply = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        stub = getattr(self.channel, kind)(
            f"/{SERVICE}/{name}", request_serializer=request.SerializeToString, response_deserializer=reply.FromString
        )
        return request, stub

    def ask(self, name, **fields):
        request, stub = self._method(name, "unary_unary")
        return MessageToDict(stub(request(**fields), timeout=LIMIT_SECONDS), preserving_proto_field_name=True)

    def first(self, name, **fields):
        request, stub = self._method(name, "unary_stream")
        stream = stub(request(**fields), timeout=LIMIT_SECONDS)
        answer = MessageToDict(next(stream), preserving_proto_field_name=True)
        stream.cancel()
        return answer

    def reason(self, name, **fields):
        try:
            self.ask(name, **fields)
        except grpc.RpcError as error:
            return error.code().name, dict(error.trailing_metadata()).get("gateway-reason")
        sys.exit(f"{name} with {fields} is not an error")


def check(channel):
    health = check_health(channel)
    database = ProtoReflectionDescriptorDatabase(channel)
    services = sorted(database.get_services())
    require(OFFERED <= set(services), f"reflection does not list {sorted(OFFERED - set(services))}")
    admin = Admin(channel, DescriptorPool(database))
    status = admin.ask("Status")
    require(status["phase"] == "PHASE_SERVING", f"the phase is {status['phase']}")
    require(status["process"]["pid"] > 0, "the status has no process id")
    parts = [part["name"] for part in admin.ask("Health")["parts"]]
    require(parts == PARTS, f"the parts are {parts}")
    call = admin.ask("Call", method="health", params_json="{}")
    require(call.get("ok"), f"the method health failed: {call}")
    json.loads(call["payload_json"])
    reload = admin.ask("Reload", dry_run=True)
    require(reload.get("dry_run"), f"a dry run of a reload answers {reload}")
    logs = admin.first("Logs", tail=1, follow=True)
    numbers = admin.first("Metrics")
    require(numbers["phase"] == "PHASE_SERVING", f"the snapshot's phase is {numbers['phase']}")
    require(len(numbers["requests"]["counts"]) == len(numbers["requests"]["bounds_us"]) + 1, f"{numbers['requests']}")
    refused = admin.reason("Call", method="")
    require(refused == ("INVALID_ARGUMENT", "invalid-request"), f"a call of no method answers {refused}")
    return {"health": health, "services": services, "status": status, "call": call, "reload": reload, "logs": logs, "metrics": numbers}


def watch(channel):
    request = health_pb2.HealthCheckRequest()
    try:
        for answer in health_pb2_grpc.HealthStub(channel).Watch(request):
            print(word(answer), flush=True)
    except grpc.RpcError as error:
        sys.exit(f"the stream broke off: {error.code().name} {error.details()}")


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ("check", "watch"):
        sys.exit(__doc__)
    with open_channel(sys.argv[1]) as channel:
        if sys.argv[2] == "watch":
            return watch(channel)
        try:
            print(json.dumps(check(channel), indent=2))
        except grpc.RpcError as error:
            sys.exit(f"a call failed: {error.code().name} {error.details()}")


if __name__ == "__main__":
    main()
