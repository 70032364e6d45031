"""iceoryx2's own module: slices of bytes, loaned and sent; it has no waiting receive, so it is polled."""

import ctypes
import os

import iceoryx2 as iox2


class Carrier:
    def __init__(self, work):
        iox2.set_log_level(iox2.LogLevel.Fatal)
        self._work = work
        self._name = f"spillring-bench-{os.getpid()}"

    def _service(self, lane):
        node = iox2.NodeBuilder.new().create(iox2.ServiceType.Ipc)
        return node, (
            node.service_builder(iox2.ServiceName.new(f"{self._name}-{lane}"))
            .publish_subscribe(iox2.Slice[ctypes.c_uint8])
            .enable_safe_overflow(False)
            .subscriber_max_buffer_size(16 if self._work.size >= 1 << 20 else 256)
            .open_or_create()
        )

    def out(self, lane):
        return Out(self._service(lane), self._work.size)

    def inlet(self, lane):
        return Inlet(self._service(lane))

    def close(self):
        pass


class Out:
    def __init__(self, service, size):
        self._node, self._service = service
        self._size = size
        self._publisher = (
            self._service.publisher_builder()
            .initial_max_slice_len(size)
            .backpressure_strategy(iox2.BackpressureStrategy.RetryUntilDelivered)
            .create()
        )

    def put(self, message):
        sample = self._publisher.loan_slice_uninit(self._size)
        ctypes.memmove(sample.payload_ptr, message, self._size)
        sample.assume_init().send()


class Inlet:
    def __init__(self, service):
        self._node, self._service = service
        self._subscriber = self._service.subscriber_builder().create()

    def get(self):
        sample = self._subscriber.receive()
        if sample is None:
            return None
        payload = sample.payload()
        message = ctypes.string_at(payload.as_ptr(), payload.len())
        sample.delete()
        return message
