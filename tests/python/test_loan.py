import gc
import io

import numpy as np
import pytest
import spillring


def test_loan_is_filled_in_place_and_published(queue):
    loan = queue.loan(5)
    assert len(loan) == 5
    memoryview(loan)[:] = b"hello"
    assert len(queue) in (0, 1)
    with pytest.raises(spillring.Empty):
        queue.get_nowait()
    seq = loan.publish()
    message = queue.get_nowait()
    assert seq == loan.seq == message.seq
    assert bytes(message) == b"hello"


@pytest.mark.parametrize("size", [0, 1, 24, 25, 4096, 1 << 20])
def test_loan_of_every_size(queue, size):
    data = np.random.default_rng(size).bytes(size)
    with queue.loan(size) as slot:
        memoryview(slot)[:] = data
    assert bytes(queue.get_nowait()) == data


def test_loan_is_a_writable_buffer(queue):
    loan = queue.loan(4096)
    with memoryview(loan) as view:
        assert (view.format, view.ndim, view.readonly, view.nbytes) == ("B", 1, False, 4096)
    np.asarray(loan)[:] = 7
    assert np.asarray(loan).dtype == np.uint8
    np.frombuffer(loan, "f8")[0] = 1.5
    assert io.BytesIO(b"file").readinto(loan) == 4
    loan.publish()
    message = queue.get_nowait()
    assert bytes(message)[:8] == b"file" + np.float64(1.5).tobytes()[4:]
    assert bytes(message)[8:] == b"\7" * 4088


def test_loan_lies_in_aligned_memory(queue):
    loan = queue.loan(4096)
    assert np.asarray(loan).__array_interface__["data"][0] % 64 == 0
    loan.cancel()


def test_publish_of_a_part(queue):
    loan = queue.loan(100)
    memoryview(loan)[:5] = b"hello"
    loan.publish(5)
    assert bytes(queue.get_nowait()) == b"hello"
    queue.loan(100).publish(size=0)
    assert bytes(queue.get_nowait()) == b""


@pytest.mark.parametrize("size", [101, 1 << 70, -1])
def test_publish_of_more_than_there_is(queue, size):
    loan = queue.loan(100)
    with pytest.raises(ValueError):
        loan.publish(size)
    loan.publish(100)  # it stayed
    assert len(queue.get_nowait()) == 100


@pytest.mark.parametrize("size", [1.0, "1", b"1"])
def test_publish_of_another_type(queue, size):
    loan = queue.loan(100)
    with pytest.raises(TypeError):
        loan.publish(size)
    loan.cancel()


@pytest.mark.parametrize("size", [1 << 62, 1 << 63, 1 << 64, 1 << 100, (1 << 32) - 1])
def test_loan_too_large(queue, size):
    with pytest.raises(spillring.TooLarge):
        queue.loan(size)


def test_loan_of_less_than_nothing(queue):
    with pytest.raises(spillring.Invalid, match="nbytes=-1"):
        queue.loan(-1)


@pytest.mark.parametrize("size", [1.0, "1", None, b"1"])
def test_loan_of_another_type(queue, size):
    with pytest.raises(TypeError, match="nbytes must be a number of bytes"):
        queue.loan(size)


def test_loan_takes_what_counts_as_a_whole_number(queue):
    queue.loan(np.int64(5)).publish(np.uint8(3))
    assert len(queue.get_nowait()) == 3


@pytest.mark.parametrize("views", [1, 2])
def test_loan_does_not_end_under_a_view(queue, views):
    loan = queue.loan(100)
    held = [memoryview(loan) for _ in range(views)]
    text = "1 view of this loan still exists" if views == 1 else "2 views of this loan still exist"
    for call in (loan.publish, loan.cancel, lambda: loan.publish(5)):
        with pytest.raises(BufferError, match=text):
            call()
    held[0][:5] = b"hello"  # nothing has changed
    del held
    loan.publish(5)
    assert bytes(queue.get_nowait()) == b"hello"


def test_with_does_not_publish_under_a_view(queue):
    with pytest.raises(BufferError, match="1 view of this loan still exists"):
        with queue.loan(5) as slot:
            array = np.asarray(slot)
    array[:] = np.frombuffer(b"hello", np.uint8)
    del array
    slot.publish()
    assert bytes(queue.get_nowait()) == b"hello"


def test_view_keeps_its_loan(queue):
    array = np.asarray(queue.loan(1000))
    gc.collect()
    array[:] = 1
    with pytest.warns(ResourceWarning, match="dropped unpublished"):
        del array


def test_with_cancels_on_an_exception(queue):
    with pytest.raises(ZeroDivisionError):
        with queue.loan(100) as slot:
            memoryview(slot)[:5] = b"hello"
            1 / 0
    assert "cancelled" in repr(slot)
    queue.put(b"next")
    assert bytes(queue.get_nowait()) == b"next"


def test_with_cancels_on_an_exception_when_the_last_view_is_gone(queue):
    with pytest.raises(ZeroDivisionError):
        with queue.loan(100) as slot:
            array = np.asarray(slot)
            1 / 0
    queue.put(b"next")
    array[:] = 1  # still ours
    del array
    assert "cancelled" in repr(slot)
    assert bytes(queue.get_nowait()) == b"next"


def test_ended_loan_cannot_be_used(queue):
    published = queue.loan(5)
    published.publish()
    cancelled = queue.loan(5)
    cancelled.cancel()
    for loan in (published, cancelled):
        for call in (loan.publish, lambda loan=loan: memoryview(loan)):
            with pytest.raises(spillring.Closed, match="has ended"):
                call()
        loan.cancel()  # like closing a closed file
        assert len(loan) == 5
    with published, cancelled:
        pass


def test_dropped_loan_is_cancelled(queue):
    loan = queue.loan(100)
    queue.put(b"next")
    with pytest.warns(ResourceWarning, match="loan 1 of queue 'queue-0' was dropped unpublished"):
        del loan
    assert bytes(queue.get_nowait()) == b"next"


def test_messages_arrive_in_the_order_of_their_loans(queue):
    first, second = queue.loan(1), queue.loan(1)
    memoryview(first)[:] = b"1"
    memoryview(second)[:] = b"2"
    second.publish()
    first.publish()
    assert [bytes(queue.get_nowait()) for _ in range(2)] == [b"1", b"2"]


def test_revoked_loan_is_stale(make):
    queue = make(stall_timeout=0.05)
    loan = queue.loan(100)
    queue.put(b"behind")
    assert bytes(queue.get(timeout=10)) == b"behind"  # whoever waits has the loan revoked
    for _ in range(2):
        with pytest.raises(spillring.Stale):
            loan.publish()
    assert "stale" in repr(loan)


def test_loan_outlives_its_embedded_supervisor():
    with spillring.embedded() as bus:
        loan = bus.queue("q", create=True).loan(1000)
    memoryview(loan)[:] = bytes(1000)
    loan.cancel()


def test_repr(queue):
    loan = queue.loan(100)
    assert repr(loan) == "<spillring.Loan 1 of 'queue-0', 100 bytes, open>"
    assert loan.queue == "queue-0"
    assert loan
    loan.publish()
    assert repr(loan) == "<spillring.Loan 1 of 'queue-0', 100 bytes, published>"
